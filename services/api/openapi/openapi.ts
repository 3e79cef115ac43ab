import { PROBLEMS, type ProblemCode } from "../../../lib/http/problem-details.ts";
import { RESPONSE_SCHEMAS, record, ref, text } from "./schemas.ts";
import { ENGINE_SCHEMA } from "./engine-schema.ts";
import type { ObjectSchema, Route, Schema } from "../routing/route.ts";

/** The part of a route that the document describes. Probes have only this part. */
export type Described = Pick<
  Route,
  | "method"
  | "path"
  | "auth"
  | "about"
  | "status"
  | "params"
  | "query"
  | "body"
  | "idempotent"
  | "throttle"
  | "cached"
>;

type Content = Readonly<Record<string, { schema?: Schema }>>;
export type Parameter = {
  name: string;
  in: "path" | "query" | "header";
  required: boolean;
  description?: string;
  schema: Schema;
};
export type Response = {
  description: string;
  headers?: Readonly<Record<string, unknown>>;
  content?: Content;
};
export type Operation = {
  operationId: string;
  tags: string[];
  description: string;
  security?: never[];
  parameters?: Parameter[];
  requestBody?: { required: boolean; content: Content };
  responses: Record<string, Response>;
};
export type OpenApiDocument = {
  openapi: string;
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  tags: { name: string; description: string }[];
  security: object[];
  paths: Record<string, Record<string, Operation>>;
  components: { securitySchemes: object; schemas: Record<string, Schema> };
};

/** Codes that every operation may answer with. */
const COMMON_CODES: readonly ProblemCode[] = [
  "FORBIDDEN",
  "INTERNAL",
  "MALFORMED",
  "TOO_MANY_REQUESTS",
  "TRY_AGAIN",
];

const TAGS = {
  auth: "Accounts and sessions",
  events: "Events and their availability",
  tickets: "Purchases, cancellations and tickets",
  operations: "Operation of the engine",
};

const CODES = Object.keys(PROBLEMS) as ProblemCode[];

/** Builds the OpenAPI 3.1 document. Its request schemas are the objects that validate requests. */
export function openApiDocument(routes: readonly Described[]): OpenApiDocument {
  const paths: OpenApiDocument["paths"] = {};
  for (const route of routes)
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  return {
    openapi: "3.1.0",
    info: { title: "Boxoffice API", version: "1.0.0", description: contractDescription() },
    servers: [{ url: "/" }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
      schemas: { ...RESPONSE_SCHEMAS, Engine: ENGINE_SCHEMA, Problem: PROBLEM },
    },
  };
}

const PROBLEM = record(
  {
    type: text("urn:boxoffice:problem:<code in kebab case>"),
    title: text(),
    status: { type: "integer" },
    code: { type: "string", enum: CODES },
    requestId: text("Also in the header X-Request-ID"),
    detail: text(),
    errors: {
      type: "array",
      items: record({ field: text(), rule: text() }),
      description: "With VALIDATION_ERROR: which field broke which rule",
    },
    available: { type: "integer", description: "With EVENT_SOLD_OUT: tickets left" },
    limit: {
      type: ["integer", "string"],
      description:
        "With PURCHASE_LIMIT_REACHED: the maximum; with TOO_MANY_REQUESTS: the limit's name",
    },
    active: {
      type: "integer",
      description: "With PURCHASE_LIMIT_REACHED: active tickets of the customer",
    },
    retryAfterS: {
      type: "integer",
      description: "With TOO_MANY_REQUESTS: seconds, as in Retry-After",
    },
  },
  ["requestId", "detail", "errors", "available", "limit", "active", "retryAfterS"],
);

function contractDescription(): string {
  const byStatus = Map.groupBy(CODES, (code) => PROBLEMS[code].status);
  const list = [...byStatus]
    .sort(([one], [other]) => one - other)
    .map(([status, codes]) => `${status} ${codes.join(", ")}`)
    .join("; ");
  return [
    "Every error is an RFC 9457 problem document (application/problem+json) with a stable " +
      `\`code\` from this closed list: ${list}.`,
    "Under /api/ all request objects and queries are strict: an unknown field or parameter, or " +
      "one given twice, is a 422. A malformed id is a 422. Bodies have at most 64 KiB. All " +
      "instants are RFC 3339 in UTC. HEAD answers as GET (of a stream: headers, then the end). " +
      "OPTIONS is 204 with Allow; another method is 405 with Allow, another path 404 NOT_FOUND. " +
      "429 and TRY_AGAIN have Retry-After. TRY_AGAIN: nothing was done. OUTCOME_UNKNOWN: repeat " +
      "the request with the same key.",
  ].join("\n\n");
}

function operationOf(route: Described): Operation {
  const { about, auth, body, params, query, idempotent } = route;
  const parameters = [
    ...parametersOf("path", params),
    ...parametersOf("query", query),
    ...(idempotent ? [IDEMPOTENCY_KEY] : []),
  ];
  return {
    operationId: about.id,
    tags: [about.tag],
    description: about.description + (auth === "operator" ? " For operators." : ""),
    ...(auth === "public" && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: {
        required: body.required,
        content: { "application/json": { schema: tidy(body.schema) } },
      },
    }),
    responses: {
      [route.status]: successOf(route),
      ...(route.cached && { 304: { description: "Not modified since the ETag in If-None-Match" } }),
      ...problemsOf(route),
    },
  };
}

const IDEMPOTENCY_KEY: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "Printable ASCII characters. Without one the engine makes a key",
  schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[ -~]+$" },
};

function parametersOf(place: Parameter["in"], schema: ObjectSchema | undefined): Parameter[] {
  return Object.entries(schema?.properties ?? {}).map(
    ([name, { description: words, ...rules }]) => ({
      name,
      in: place,
      required: schema?.required?.includes(name) === true,
      schema: rules,
      ...(typeof words === "string" && { description: words }),
    }),
  );
}

function tidy({ required = [], ...schema }: ObjectSchema): Schema {
  return required.length === 0 ? schema : { ...schema, required };
}

function successOf({ about: { success }, status }: Described): Response {
  const { description, schema, mediaType = "application/json", headers } = success;
  return {
    description,
    ...(headers && { headers: headersOf(headers) }),
    ...(status !== 202 &&
      status !== 204 && { content: { [mediaType]: schema === undefined ? {} : { schema } } }),
  };
}

/** Groups the route's codes by status. The default response has the common codes. */
function problemsOf(route: Described): Record<string, Response> {
  const named = Map.groupBy(namedCodes(route), (code) => PROBLEMS[code].status);
  const byStatus = [...named].map(([status, codes]) => {
    const common = COMMON_CODES.filter((code) => PROBLEMS[code].status === status);
    return [String(status), problemResponse([...new Set([...codes, ...common])])] as const;
  });
  return { ...Object.fromEntries(byStatus), default: problemResponse(COMMON_CODES) };
}

function namedCodes({
  auth,
  path,
  params,
  body,
  throttle,
  about: { refusals = [] },
}: Described): ProblemCode[] {
  const codes: ProblemCode[] = [];
  if (auth !== "public") codes.push("UNAUTHENTICATED", "TOKEN_EXPIRED");
  if (auth === "operator") codes.push("FORBIDDEN");
  codes.push(...refusals);
  if (body !== undefined) codes.push("TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE");
  if (params !== undefined || path.startsWith("/api/")) codes.push("VALIDATION_ERROR");
  // The cancellation limit counts and never refuses.
  if (throttle !== undefined && throttle !== "cancellation") codes.push("TOO_MANY_REQUESTS");
  return codes;
}

function problemResponse(codes: readonly ProblemCode[]): Response {
  const retries = codes.some((code) => code === "TRY_AGAIN" || code === "TOO_MANY_REQUESTS");
  const schema = {
    allOf: [
      ref("Problem"),
      { type: "object", required: ["code"], properties: { code: { enum: codes } } },
    ],
  };
  return {
    description: codes.map((code) => `${code}: ${PROBLEMS[code].title}`).join(". "),
    ...(retries && {
      headers: headersOf({ "Retry-After": "Seconds. Absent with OUTCOME_UNKNOWN" }),
    }),
    content: { "application/problem+json": { schema } },
  };
}

function headersOf(headers: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, words]) => [
      name,
      { description: words, schema: { type: "string" } },
    ]),
  );
}
