import { isDeepStrictEqual } from "node:util";
import type {
  OpenApiDocument,
  Operation,
  Parameter,
} from "../../../services/api/openapi/openapi.ts";

/** A place where one document does not keep what another promises. */
export type Difference = { where: string; what: string };

type Json = Record<string, unknown>;
type Referring = Parameter | { $ref: string };
type Promised = Omit<Operation, "parameters"> & { parameters?: Referring[] };
type Item = Record<string, Promised> & { parameters?: Referring[] };

/** Members for people, which may differ. */
const WORDS = new Set(["description"]);

/**
 * Lists what `ours` lacks of `contract`, or requires beyond it: operations, parameters, bodies,
 * statuses, codes and schemas. Answers may have more (another status, another member).
 * Requests may not be refused for more.
 */
export function differences(contract: OpenApiDocument, ours: OpenApiDocument): Difference[] {
  return Object.entries(contract.paths as unknown as Record<string, Item>).flatMap(
    ([path, { parameters = [], ...methods }]) =>
      Object.entries(methods).flatMap(([method, operation]) => {
        const where = `${method} ${path}`;
        const mine = ours.paths[path]?.[method];
        if (mine === undefined) return [{ where, what: "is absent" }];
        const promised = [...parameters, ...(operation.parameters ?? [])].map(
          (one) => resolved(contract, one) as Parameter,
        );
        return [
          ...(isDeepStrictEqual(operation.security, mine.security)
            ? []
            : [{ where, what: "is open to others" }]),
          ...parameterDifferences(where, promised, mine.parameters ?? []),
          ...bodyDifferences(where, contract, operation, ours, mine),
          ...answerDifferences(where, contract, operation, ours, mine),
        ];
      }),
  );
}

function parameterDifferences(
  where: string,
  promised: readonly Parameter[],
  mine: readonly Parameter[],
): Difference[] {
  const keyOf = (one: Parameter): string => `${one.in} ${one.name}`;
  const found = new Map(mine.map((one) => [keyOf(one), one]));
  const lacking = promised.flatMap((one) => {
    const parameter = found.get(keyOf(one));
    const place = `${where}: ${keyOf(one)}`;
    if (parameter === undefined) return [{ where: place, what: "is absent" }];
    const required =
      parameter.required === (one.required ?? false)
        ? []
        : [{ where: place, what: "is required or not" }];
    return [...required, ...schemaDifferences(place, one.schema, parameter.schema, "request")];
  });
  const known = new Set(promised.map(keyOf));
  return [
    ...lacking,
    ...mine
      .filter((one) => !known.has(keyOf(one)))
      .map((one) => ({ where, what: `takes ${keyOf(one)} as well` })),
  ];
}

function bodyDifferences(
  where: string,
  contract: unknown,
  promised: Promised,
  ours: unknown,
  mine: Operation,
): Difference[] {
  const [theirs, body] = [promised.requestBody, mine.requestBody];
  if (theirs === undefined) return body === undefined ? [] : [{ where, what: "takes a body" }];
  if (body === undefined) return [{ where, what: "takes no body" }];
  const required =
    body.required === theirs.required
      ? []
      : [{ where: `${where}: body`, what: body.required ? "is required" : "may be left out" }];
  const schemaOf = (content: Operation["requestBody"], document: unknown): unknown =>
    resolved(document, content?.content["application/json"]?.schema);
  return [
    ...required,
    ...schemaDifferences(
      `${where}: body`,
      schemaOf(theirs, contract),
      schemaOf(body, ours),
      "request",
    ),
  ];
}

function answerDifferences(
  where: string,
  contract: unknown,
  promised: Promised,
  ours: unknown,
  mine: Operation,
): Difference[] {
  return Object.entries(promised.responses).flatMap(([status, { description, content = {} }]) => {
    const place = `${where}: ${status}`;
    const response = mine.responses[status];
    if (response === undefined) return [{ where: place, what: "is absent" }];
    const codes =
      Number(status) < 400
        ? []
        : [...description.matchAll(/\b[A-Z]+_[A-Z_]+\b|\bFORBIDDEN\b|\bUNAUTHENTICATED\b/g)].map(
            ([code]) => code,
          );
    const enumerated = JSON.stringify(response.content ?? {});
    const missing = codes
      .filter((code) => !enumerated.includes(`"${code}"`))
      .map((code) => ({ where: place, what: `has no ${code}` }));
    const schemas = Object.entries(content).flatMap(([type, media]) => {
      const its = response.content?.[type];
      if (its === undefined) return [{ where: place, what: `is no ${type}` }];
      return schemaDifferences(
        place,
        resolved(contract, media.schema),
        resolved(ours, its.schema),
        "answer",
      );
    });
    return [...missing, ...schemas];
  });
}

/**
 * Compares schemas without references. `required` is compared as a set: an answer may promise more
 * than the contract, a request may require no more.
 */
function schemaDifferences(
  where: string,
  promised: unknown,
  mine: unknown,
  of: "request" | "answer",
): Difference[] {
  if (!isObject(promised) || !isObject(mine))
    return isDeepStrictEqual(promised, mine) ? [] : [{ where, what: "differs" }];
  const names = Object.keys(promised).filter((name) => !WORDS.has(name));
  const lacking = names.flatMap((name): Difference[] => {
    const place = `${where} ${name}`;
    if (!(name in mine)) return [{ where: place, what: "is absent" }];
    if (name === "required") {
      const has = new Set(mine.required as string[]);
      return (promised.required as string[])
        .filter((one) => !has.has(one))
        .map((one) => ({ where: place, what: `lacks ${one}` }));
    }
    return schemaDifferences(place, promised[name], mine[name], of);
  });
  if (of === "answer") return lacking;
  const more = Object.keys(mine).filter((name) => !WORDS.has(name) && !names.includes(name));
  const required = new Set(promised.required as string[] | undefined);
  const asked =
    "required" in promised ? (mine.required as string[]).filter((one) => !required.has(one)) : [];
  return [
    ...lacking,
    ...[...more, ...asked].map((name) => ({
      where: `${where} ${name}`,
      what: "is more than the contract asks",
    })),
  ];
}

/** Resolves all references of a part of a document. */
function resolved(document: unknown, part: unknown): unknown {
  if (Array.isArray(part)) return part.map((one) => resolved(document, one));
  if (!isObject(part)) return part;
  if (typeof part.$ref === "string") {
    const found = part.$ref
      .split("/")
      .slice(1)
      .reduce<unknown>((place, name) => (place as Json | undefined)?.[name], document);
    return resolved(document, found);
  }
  return Object.fromEntries(
    Object.entries(part).map(([name, value]) => [name, resolved(document, value)]),
  );
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
