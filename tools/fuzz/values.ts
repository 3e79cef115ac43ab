import fc, { type Arbitrary } from "fast-check";
import type { Schema } from "./contract.ts";

/** Existing ids, so that not all requests are answered 404. */
export type Known = {
  eventIds: readonly string[];
  ticketIds: readonly string[];
  transactionIds: readonly string[];
  credentials: Credentials;
};
export type Credentials = { email: string; password: string };

/** Texts that no column, header or key can hold. */
const WORST_TEXTS = [
  "\0",
  "a\0b",
  "\ud800",
  "'",
  "%",
  "\r\n",
  "__proto__",
  "x".repeat(5_000),
] as const;

/** Texts that have broken servers. */
const EVIL_TEXTS = [
  "",
  " ",
  "\0",
  "a\0b",
  "\u{feff}",
  "\u{202e}abc",
  "\ud800",
  "é",
  "e\u{301}",
  "İ",
  "ß",
  "🎟️".repeat(20),
  "%",
  "_",
  "\\",
  "'",
  '"',
  "`",
  "%25_%5C",
  "'; DROP TABLE event; --",
  "1 OR 1=1",
  "${7*7}",
  "{{7*7}}",
  "<script>alert(1)</script>",
  "../../../../etc/passwd",
  "\r\nSet-Cookie: a=b",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "null",
  "undefined",
  "NaN",
  "Infinity",
  "-0",
  "1e400",
  "0x10",
  "01",
  "1_000",
  "١٢",
  "9007199254740993",
  "99999999999999999999",
  "-1",
  "1.5",
  "true",
  "[]",
  "{}",
  "2026-02-30",
  "0000-00-00",
  "9999-12-31",
  "+292278994-08-17",
  "x".repeat(101),
  "x".repeat(5_000),
  "a@b",
  "@",
  "a@b.c",
  `${"x".repeat(64)}@example.com`,
  "ada@example.com\r\nBcc: all@example.com",
] as const;

export const evilText: Arbitrary<string> = fc.oneof(
  { arbitrary: fc.constantFrom(...WORST_TEXTS), weight: 2 },
  { arbitrary: fc.constantFrom(...EVIL_TEXTS), weight: 2 },
  { arbitrary: fc.string({ unit: "binary", maxLength: 40 }), weight: 1 },
  { arbitrary: fc.string({ maxLength: 200 }), weight: 1 },
);

const day = fc
  .date({ min: new Date("1990-01-01"), max: new Date("2040-12-31"), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));

/** Makes a value that agrees with the schema of a parameter or member. */
export function validValue(name: string, schema: Schema, known: Known): Arbitrary<unknown> {
  const {
    minimum = 0,
    maximum = 1_000_000,
    minLength = 0,
    maxLength = 60,
  } = schema as Record<string, number | undefined>;
  if (Array.isArray(schema.enum)) return fc.constantFrom(...(schema.enum as unknown[]));
  if (schema.type === "integer") return fc.integer({ min: minimum, max: maximum });
  if (schema.type === "boolean") return fc.boolean();
  if (name === "eventId") return idOf(known.eventIds);
  if (name === "ticketId" || name === "sessionId") return idOf(known.ticketIds);
  if (name === "transactionId")
    return fc.oneof(from(known.transactionIds), fc.stringMatching(/^[0-9a-f]{128}$/));
  if (schema.format === "date") return day;
  if (schema.format === "uuid") return fc.uuid();
  if (name === "email") return fc.oneof(fc.constant(known.credentials.email), fc.emailAddress());
  if (name === "password" || name === "currentPassword")
    return fc.oneof(fc.constant(known.credentials.password), password());
  if (name === "newPassword")
    return fc.constantFrom(known.credentials.password, "a different passphrase altogether");
  if (name === "location")
    return fc.constantFrom("berlin", "BERLIN", "Köln", "paris", "nowhere at all");
  if (name === "type") return fc.constantFrom("concert", "Concert", "festival", "opera");
  if (name === "cursor") return fc.constantFrom("AAAA", "eyJhIjoxfQ");
  return fc
    .string({ unit: "grapheme", minLength, maxLength: Math.min(maxLength, 60) })
    .filter((text) => !text.includes("\0") && text.isWellFormed());
}

function idOf(ids: readonly string[]): Arbitrary<unknown> {
  return fc.oneof({ arbitrary: from(ids), weight: 4 }, { arbitrary: fc.uuid(), weight: 1 });
}

function from(ids: readonly string[]): Arbitrary<string> {
  return ids.length === 0 ? fc.uuid() : fc.constantFrom(...ids);
}

function password(): Arbitrary<string> {
  return fc.string({ unit: "grapheme-ascii", minLength: 12, maxLength: 128 });
}

/** Makes a value just outside the schema. */
export function nearlyValidValue(schema: Schema): Arbitrary<unknown> {
  const {
    minimum = 0,
    maximum = 100,
    minLength = 1,
    maxLength = 60,
  } = schema as Record<string, number | undefined>;
  if (schema.type === "integer")
    return fc.constantFrom<unknown>(
      minimum - 1,
      maximum + 1,
      minimum + 0.5,
      -maximum,
      1e9,
      2 ** 53,
      String(maximum),
      null,
      [minimum],
      true,
    );
  const long = "x".repeat(maxLength + 1);
  return fc.oneof(
    fc.constantFrom<unknown>(
      "",
      long,
      "x".repeat(Math.max(0, minLength - 1)),
      null,
      1,
      true,
      ["a"],
      { a: 1 },
    ),
    evilText,
  );
}
