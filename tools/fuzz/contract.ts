import { join } from "node:path";
import { type ValidateFunction, Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { parse } from "yaml";
import { ROOT } from "../root.ts";

/** The HTTP contract of the project. */
export const CONTRACT_FILE = join(ROOT, "docs", "api", "openapi.yaml");

export type Schema = Readonly<Record<string, unknown>>;
export type Parameter = { name: string; in: "path" | "query" | "header"; schema: Schema };

/** The answer of a status. Without a schema, the contract promises only the status. */
type Response = { mediaType?: string | undefined; validate?: ValidateFunction | undefined };

export type Operation = {
  method: string;
  /** /api/events/{eventId} */
  path: string;
  /** Whether it takes a bearer token. */
  secured: boolean;
  parameters: readonly Parameter[];
  body: { schema: Schema; required: boolean; validate: ValidateFunction } | undefined;
  /** By query parameter: validates a text against the contract. */
  queryRules: ReadonlyMap<string, ValidateFunction>;
  responses: ReadonlyMap<number, Response>;
  /** Response of all other statuses. Undefined if the contract has none. */
  otherwise: Response | undefined;
};

export type Contract = {
  operations: readonly Operation[];
  /** The closed list of codes, each with its status. */
  statusOfCode: ReadonlyMap<string, number>;
  problem: ValidateFunction;
};

type Media = { schema?: Schema };
type Document = {
  info: { description: string };
  components: { schemas: Record<string, Schema>; parameters?: Record<string, Parameter> };
  paths: Record<
    string,
    Record<string, DocumentOperation | undefined> & { parameters?: ParameterOrReference[] }
  >;
};
type ParameterOrReference = Parameter | { $ref: string };
type DocumentOperation = {
  security?: unknown[];
  parameters?: ParameterOrReference[];
  requestBody?: { required?: boolean; content: Record<string, Media> };
  responses: Record<string, DocumentResponse>;
};
type DocumentResponse = { description: string; content?: Record<string, Media> };

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

/** Reads an OpenAPI 3.1 document, YAML or JSON. Throws for a missing reference. */
export function readContract(yaml: string): Contract {
  const document = parse(yaml) as Document;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  // Accepts local parts in any script (RFC 6531); the usual rule accepts ASCII only.
  // The engine drops blanks around the address.
  ajv.addFormat(
    "email",
    /^\s*[^\s\p{C}"(),:;<>@[\]\\]{1,64}@(?:[\p{L}\p{M}\p{N}-]{1,63}\.)+[\p{L}\p{M}\p{N}-]{1,63}\s*$/u,
  );
  ajv.addSchema({ $id: "contract", components: document.components });
  const compile = (schema: Schema): ValidateFunction =>
    ajv.compile(withReferences(schema) as Schema);
  const responseOf = ({ content }: DocumentResponse): Response => {
    const [mediaType, media] = Object.entries(content ?? {})[0] ?? [];
    return { mediaType, validate: media?.schema && compile(media.schema) };
  };
  const parameterOf = (given: ParameterOrReference): Parameter => {
    if (!("$ref" in given)) return given;
    const found = document.components.parameters?.[given.$ref.split("/").at(-1) ?? ""];
    if (found === undefined)
      throw new Error(`The contract refers to ${given.$ref}, which it lacks`);
    return found;
  };

  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method): Operation[] => {
      const operation = item[method];
      if (operation === undefined) return [];
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(
        parameterOf,
      );
      const schema = operation.requestBody?.content["application/json"]?.schema;
      const { default: byDefault, ...responses } = operation.responses;
      return [
        {
          method: method.toUpperCase(),
          path,
          parameters,
          secured: operation.security === undefined,
          body: schema && {
            schema,
            required: operation.requestBody?.required === true,
            validate: compile(schema),
          },
          queryRules: new Map(
            parameters.flatMap((one) =>
              one.in === "query" ? [[one.name, compile(one.schema)] as const] : [],
            ),
          ),
          responses: new Map(
            Object.entries(responses).map(([status, response]) => [
              Number(status),
              responseOf(response),
            ]),
          ),
          otherwise: byDefault && responseOf(byDefault),
        },
      ];
    }),
  );
  const problem = document.components.schemas.Problem;
  if (problem === undefined) throw new Error("The contract has no schema Problem");
  return {
    operations,
    statusOfCode: closedList(document.info.description),
    problem: compile(problem),
  };
}

/** Rewrites references between parts of the document for ajv's schema id. */
function withReferences(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(withReferences);
  if (typeof part !== "object" || part === null) return part;
  return Object.fromEntries(
    Object.entries(part).map(([name, value]) => [
      name,
      name === "$ref" && typeof value === "string" ? `contract${value}` : withReferences(value),
    ]),
  );
}

/**
 * The description lists codes by status: "409 EMAIL_TAKEN, EVENT_OVER (text); 413 …", or as items.
 */
function closedList(description: string): Map<string, number> {
  const codes = new Map<string, number>();
  const list = /from this closed list:([^]*?)\n\s*Under \/api\//.exec(description)?.[1] ?? "";
  for (const [, status = "", words = ""] of list
    .replaceAll(/\([^)]*\)/g, "")
    .matchAll(/\b([45]\d\d) ((?:(?!\n\s*- )[^;.])*)/g))
    for (const [code] of words.matchAll(/\b[A-Z][A-Z_]+\b/g)) codes.set(code, Number(status));
  if (codes.size < 20)
    throw new Error("The contract's closed list of codes was not found in its description");
  return codes;
}
