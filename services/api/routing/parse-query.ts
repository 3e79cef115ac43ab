import { type Broken, plainName } from "./schema-validator.ts";

export type Query =
  | { ok: true; values: Record<string, unknown> }
  | { ok: false; malformed: true }
  | { ok: false; malformed: false; broken: Broken[] };

/**
 * Reads the text behind `?`. Refuses what URLSearchParams would mend in silence: a name given twice, broken percent-encoding or UTF-8.
 * Whole numbers are read for the names in `integers`, and only where they are plain digits.
 */
export function readQuery(text: string, integers: ReadonlySet<string>): Query {
  const values = Object.create(null) as Record<string, unknown>;
  const broken: Broken[] = [];
  if (text === "") return { ok: true, values };
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? "" : decode(pair.slice(equals + 1));
    if (name === undefined || value === undefined) return { ok: false, malformed: true };
    if (name in values) broken.push({ field: plainName(name), rule: "duplicate" });
    values[name] = integers.has(name) && /^\d{1,15}$/.test(value) ? Number(value) : value;
  }
  return broken.length > 0 ? { ok: false, malformed: false, broken } : { ok: true, values };
}

function decode(text: string): string | undefined {
  if (!text.includes("%") && !text.includes("+")) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
