import fc, { type Arbitrary } from "fast-check";
import { absurdHeaders, absurdParts, BODY_MAX, type Parts } from "./absurd-parts.ts";
import type { Operation, Schema } from "./contract.ts";
import { evilText, type Known, nearlyValidValue, validValue } from "./values.ts";

/** A request as it is sent. */
export type FuzzRequest = {
  operation: Operation;
  method: string;
  target: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
  /** `valid`: agrees with the contract. */
  intent: "valid" | "nearly" | "absurd";
};

/**
 * Makes requests to one operation: a third each valid, with one mistake, and absurd. `tokens`:
 * bearer tokens.
 */
export function requestsTo(
  operation: Operation,
  known: Known,
  tokens: readonly string[],
): Arbitrary<FuzzRequest> {
  const authorized: Record<string, string>[] = operation.secured
    ? tokens.map((token) => ({ Authorization: `Bearer ${token}` }))
    : [{}];
  const valid = fc
    .tuple(validParts(operation, known), fc.constantFrom(...authorized))
    .map(([parts, who]) => assemble(operation, parts, who, "valid"));
  const nearly = fc
    .tuple(validParts(operation, known), fc.constantFrom(...authorized), spoiled(operation))
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

/**
 * Percent-encodes, also halves of surrogate pairs, which encodeURIComponent rejects: as bytes that
 * are not UTF-8.
 */
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

/** Adds one mistake. */
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
        // Serialized by hand, because an assignment to __proto__ creates no member.
        return {
          ...parts,
          body: Buffer.from(`{${[...entries, [name, value] as const].map(memberText).join()}}`),
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
    // A valid body that is too large because of trailing spaces.
    ways.push(
      fc.constant((parts) => ({
        ...parts,
        body: Buffer.concat([parts.body ?? Buffer.from("{}"), Buffer.alloc(BODY_MAX + 1, " ")]),
      })),
    );
  }
  return fc.oneof(...ways);
}

function memberText([name, value]: readonly [string, unknown]): string {
  return `${JSON.stringify(name)}:${JSON.stringify(value) ?? "null"}`;
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
