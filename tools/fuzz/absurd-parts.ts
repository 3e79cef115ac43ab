import fc, { type Arbitrary } from "fast-check";
import type { Operation } from "./contract.ts";
import { evilText } from "./values.ts";

export type Parts = {
  query: [string, string][];
  path: Record<string, string>;
  headers: Record<string, string>;
  body: Buffer | undefined;
};

/** Largest body that the gateway accepts. */
export const BODY_MAX = 65_536;

/** Parts that ignore the contract. */
export function absurdParts({ parameters }: Operation): Arbitrary<Parts> {
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

export function absurdHeaders(tokens: readonly string[]): Arbitrary<Record<string, string>> {
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
