import fc, { type Arbitrary } from "fast-check";
import type { Operation, Schema } from "./contract.ts";
import { evilText, type Known, nearlyValidValue, validValue } from "./values.ts";

/** A request as it goes over the wire. */
export type FuzzRequest = {
  operation: Operation;
  method: string;
  target: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
  /** `valid`: as the contract says, all of it. */
  intent: "valid" | "nearly" | "absurd";
};

type Parts = {
  query: [string, string][];
  path: Record<string, string>;
  headers: Record<string, string>;
  body: Buffer | undefined;
};

const BODY_MAX = 65_536;

/** Requests to one operation: a third each as the contract says, with one thing wrong, and with everything wrong. `tokens` are bearers'. */
export function requestsTo(
  operation: Operation,
  known: Known,
  tokens: readonly string[],
): Arbitrary<FuzzRequest> {
  const authorised: Record<string, string>[] = operation.secured
    ? tokens.map((token) => ({ Authorization: `Bearer ${token}` }))
    : [{}];
  const valid = fc
    .tuple(validParts(operation, known), fc.constantFrom(...authorised))
    .map(([parts, who]) => assemble(operation, parts, who, "valid"));
  const nearly = fc
    .tuple(validParts(operation, known), fc.constantFrom(...authorised), spoiled(operation))
    .map(([parts, who, spoil]) =>
      assemble(
        operation,
        spoil({ ...parts, path: { ...parts.path }, headers: { ...parts.headers } }),
        who,
        "nearly",
      ),
    );
  const absurd = fc
    .tuple(
      absurdParts(operation),
      absurdHeaders(tokens),
      fc.constantFrom(
        operation.method,
        operation.method,
        "GET",
        "POST",
        "PUT",
        "DELETE",
        "HEAD",
        "OPTIONS",
        "PATCH",
      ),
    )
    .map(([parts, headers, method]) => ({
      ...assemble(operation, parts, headers, "absurd"),
      method,
    }));
  return fc.oneof(valid, nearly, absurd);
}

function assemble(
  operation: Operation,
  { query, path, headers, body }: Parts,
  more: Record<string, string>,
  intent: FuzzRequest["intent"],
): FuzzRequest {
  const text = query.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join("&");
  const target =
    operation.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encoded(path[name] ?? "")) +
    (text === "" ? "" : `?${text}`);
  const type = body === undefined ? {} : { "Content-Type": "application/json" };
  return {
    operation,
    method: operation.method,
    target,
    headers: { ...type, ...headers, ...more },
    body,
    intent,
  };
}

/** Percent-encoded, also halves of surrogate pairs, which encodeURIComponent refuses: as the bytes that are not UTF-8. */
function encoded(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : "%ED%A0%80";
}

function validParts({ parameters, body }: Operation, known: Known): Arbitrary<Parts> {
  const of = (place: string) => parameters.filter((parameter) => parameter.in === place);
  const values = (place: string, optional: boolean) =>
    fc.record(
      Object.fromEntries(
        of(place).map(({ name, schema }) => [name, validValue(name, schema, known).map(String)]),
      ),
      optional ? { requiredKeys: [] } : {},
    ) as Arbitrary<Record<string, string>>;
  const headers = values("header", true).map((all) =>
    Object.fromEntries(Object.entries(all).map(([name, text]) => [name, headerText(text)])),
  );
  return fc.record({
    path: values("path", false),
    query: values("query", true).map((query) => Object.entries(query)),
    headers,
    body:
      body === undefined ? fc.constant(undefined) : validBody(body.schema, body.required, known),
  });
}

function headerText(text: string): string {
  const printable = text.replaceAll(/[^\x21-\x7e]/g, "");
  return printable === "" ? "k" : printable;
}

function validBody(schema: Schema, required: boolean, known: Known): Arbitrary<Buffer | undefined> {
  const { properties, required: needed = [] } = schema as {
    properties: Record<string, Schema>;
    required?: string[];
  };
  const members = Object.fromEntries(
    Object.entries(properties).map(([name, member]) => [name, validValue(name, member, known)]),
  );
  const whole = fc
    .record(members, { requiredKeys: needed })
    .map((value) => Buffer.from(JSON.stringify(value)));
  return required ? whole : fc.option(whole, { nil: undefined, freq: 5 });
}

/** One thing wrong. */
function spoiled({ parameters, body }: Operation): Arbitrary<(parts: Parts) => Parts> {
  const queries = parameters.filter((one) => one.in === "query");
  const ways: Arbitrary<(parts: Parts) => Parts>[] = [
    evilText.map((text) => (parts) => ({ ...parts, query: [...parts.query, [text, text]] })),
    fc.constant((parts) => ({ ...parts, query: [...parts.query, ["unknown", "1"]] })),
    fc
      .constantFrom(
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "",
      )
      .map((type) => (parts) => ({
        ...parts,
        headers: { ...parts.headers, "Content-Type": type },
      })),
    ...parameters
      .filter((one) => one.in === "path")
      .map(({ name }) =>
        evilText.map((text) => (parts: Parts) => ({
          ...parts,
          path: { ...parts.path, [name]: text || "x" },
        })),
      ),
    ...queries.map(({ name, schema }) =>
      nearlyValidValue(schema).map((value) => (parts: Parts) => ({
        ...parts,
        query: [...parts.query.filter(([one]) => one !== name), [name, String(value)]] as [
          string,
          string,
        ][],
      })),
    ),
    ...queries.map(({ name }) =>
      fc.constant((parts: Parts) => ({
        ...parts,
        query: [...parts.query, [name, "1"], [name, "1"]] as [string, string][],
      })),
    ),
  ];
  if (body !== undefined) {
    const { properties } = body.schema as { properties: Record<string, Schema> };
    const member =
      (name: string, value: unknown) =>
      (parts: Parts): Parts => {
        const whole = parts.body === undefined ? {} : (JSON.parse(parts.body.toString()) as object);
        const entries = Object.entries(whole).filter(([one]) => one !== name);
        // Written out, since assigning __proto__ would not be a member.
        return {
          ...parts,
          body: Buffer.from(
            `{${[...entries, [name, value] as const].map(([one, its]) => `${JSON.stringify(one)}:${JSON.stringify(its) ?? "null"}`).join()}}`,
          ),
        };
      };
    ways.push(
      ...Object.entries(properties).map(([name, schema]) =>
        nearlyValidValue(schema).map((value) => member(name, value)),
      ),
    );
    ways.push(
      fc
        .tuple(
          fc.constantFrom("role", "userId", "available", "__proto__", "constructor", "id", "price"),
          fc.jsonValue({ maxDepth: 1 }),
        )
        .map(([name, value]) => member(name, value)),
    );
    ways.push(...Object.keys(properties).map((name) => fc.constant(without(name))));
    // A sound body behind which nothing but space makes it too large.
    ways.push(
      fc.constant((parts) => ({
        ...parts,
        body: Buffer.concat([parts.body ?? Buffer.from("{}"), Buffer.alloc(BODY_MAX + 1, " ")]),
      })),
    );
  }
  return fc.oneof(...ways);
}

function without(name: string): (parts: Parts) => Parts {
  return (parts) => {
    const whole = parts.body === undefined ? {} : (JSON.parse(parts.body.toString()) as object);
    return {
      ...parts,
      body: Buffer.from(
        JSON.stringify(Object.fromEntries(Object.entries(whole).filter(([one]) => one !== name))),
      ),
    };
  };
}

function absurdParts({ parameters }: Operation): Arbitrary<Parts> {
  const names = fc.oneof(
    fc.constantFrom("limit", "cursor", "date", "name", "quantity", "__proto__", "limit[]"),
    evilText,
  );
  return fc.record({
    path: fc.record(
      Object.fromEntries(
        parameters
          .filter((one) => one.in === "path")
          .map(({ name }) => [name, evilText.map((text) => text || "x")]),
      ),
    ),
    query: fc.array(fc.tuple(names, evilText), { maxLength: 4 }),
    headers: fc.constant({}),
    body: fc.option(absurdBody, { nil: undefined, freq: 3 }),
  });
}

const absurdBody: Arbitrary<Buffer> = fc.oneof(
  fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom(
      "{",
      "}",
      "[]",
      "null",
      '"',
      "1e999",
      '{"a":1,"a":2}',
      '{"quantity":NaN}',
      "<xml/>",
      "a=b&c=d",
      "\u{feff}{}",
    )
    .map((text) => Buffer.from(text)),
  fc
    .constantFrom(10, 1_000, 30_000)
    .map((depth) => Buffer.from("[".repeat(depth) + "]".repeat(depth))),
  fc
    .constantFrom(BODY_MAX - 20, BODY_MAX, BODY_MAX + 1, 3 * BODY_MAX)
    .map((length) => Buffer.from(JSON.stringify({ name: "x".repeat(length) }))),
);

function absurdHeaders(tokens: readonly string[]): Arbitrary<Record<string, string>> {
  const [token = ""] = tokens;
  const odd = evilText.map((text) =>
    Buffer.from(text.slice(0, 2_000))
      .toString("latin1")
      .replaceAll(/[^\x20-\x7e\x80-\xff]/g, ""),
  );
  const header = (name: string, value: Arbitrary<string>) =>
    fc.record({ [name]: value }) as Arbitrary<Record<string, string>>;
  return fc
    .array(
      fc.oneof(
        header(
          "Authorization",
          fc.constantFrom(
            `Bearer ${token}`,
            `Bearer ${token}x`,
            "Bearer",
            "Basic YTpi",
            `Bearer ${token.split(".").slice(0, 2).join(".")}.`,
            "Bearer a.b.c",
          ),
        ),
        header("Authorization", odd),
        header("Idempotency-Key", odd),
        header("X-Request-Id", odd),
        header(
          "Content-Type",
          fc.constantFrom(
            "application/json",
            "text/plain",
            "multipart/form-data",
            "application/json; charset=x",
            "*/*",
          ),
        ),
        header("Content-Encoding", fc.constantFrom("gzip", "br", "identity", "x")),
        header("Accept", fc.constantFrom("text/html", "application/xml", "", "*/*;q=0")),
        header("Accept-Encoding", fc.constantFrom("gzip", "br", "identity;q=0", "x")),
        header("Origin", fc.constantFrom("null", "https://evil.example", "http://127.0.0.1", "x")),
        header("Cookie", odd),
        header("X-Forwarded-For", odd),
        header("If-None-Match", fc.constantFrom("*", '"x"', "W/x")),
        header("X-HTTP-Method-Override", fc.constantFrom("DELETE", "TRACE")),
        header("Expect", fc.constant("100-continue")),
      ),
      { maxLength: 5 },
    )
    .map(
      (all) =>
        Object.assign({ "Content-Type": "application/json" }, ...all) as Record<string, string>,
    );
}
