import { type ErrorObject, type ValidateFunction, Ajv2020 } from "ajv/dist/2020.js";
import type { ObjectSchema } from "./route.ts";

/** Names a field and the rule that it broke, never its value. */
export type Broken = { field: string; rule: string };

/** Enough to correct a form. A body of 64 KiB could break thousands of rules. */
const REPORTED_MAX = 20;

const ajv = new Ajv2020({ allErrors: true, useDefaults: true, strict: true });
ajv.addFormat("uuid", /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);
ajv.addFormat("date", isDay);
// The service trims addresses, at registration as at sign-in.
ajv.addFormat("email", (text: string) => isEmail(text.trim()));

export type Validator = {
  /** Names of integer properties: query texts are parsed for them. */
  integers: ReadonlySet<string>;
  ids: readonly string[];
  /** Lists broken rules. If there are none, defaults have been filled in. */
  broken(value: unknown): Broken[];
};

/** Compiles a schema. Also rejects text that PostgreSQL cannot store: NUL, lone surrogates. */
export function createValidator(schema: ObjectSchema): Validator {
  const validate: ValidateFunction = ajv.compile(schema);
  const withProperty = (key: string, expected: string): string[] =>
    Object.entries(schema.properties).flatMap(([name, property]) =>
      property[key] === expected ? [name] : [],
    );
  return {
    integers: new Set(withProperty("type", "integer")),
    ids: withProperty("format", "uuid"),
    broken(value) {
      if (!validate(value)) return (validate.errors ?? []).slice(0, REPORTED_MAX).map(brokenRule);
      const broken: Broken[] = [];
      for (const [field, text] of Object.entries(value as object))
        if (typeof text === "string" && (text.includes("\0") || !text.isWellFormed()))
          broken.push({ field, rule: "characters" });
      return broken;
    },
  };
}

function brokenRule({ keyword, instancePath, params }: ErrorObject): Broken {
  const { missingProperty, additionalProperty } = params as {
    missingProperty?: string;
    additionalProperty?: string;
  };
  if (missingProperty !== undefined) return { field: missingProperty, rule: "required" };
  if (additionalProperty !== undefined)
    return { field: plainName(additionalProperty), rule: "unknown" };
  return { field: instancePath.slice(1), rule: keyword };
}

/** Repeats a client's field name only if it is a plain name. */
export function plainName(name: string): string {
  return /^[\w.-]{1,64}$/.test(name) ? name : "";
}

/** Accepts a calendar day. PostgreSQL has no year 0. */
function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text.startsWith("0000")) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/**
 * Accepts an e-mail address within RFC 5321's limits: a local part without spaces, control or
 * quoting characters, and a domain of two labels or more in any script. Checks lengths first, so
 * that no pattern runs on a long text.
 */
function isEmail(text: string): boolean {
  const at = text.lastIndexOf("@");
  if (at < 1 || at > 64 || text.length > 254) return false;
  const labels = text.slice(at + 1).split(".");
  const local = text.slice(0, at);
  const hasValidDots = !local.startsWith(".") && !local.endsWith(".") && !local.includes("..");
  return (
    hasValidDots &&
    /^[^\s\p{C}"(),:;<>@[\]\\]+$/u.test(local) &&
    labels.length > 1 &&
    labels.every(isLabel)
  );
}

function isLabel(label: string): boolean {
  return (
    label.length <= 63 &&
    /^[\p{L}\p{M}\p{N}-]+$/u.test(label) &&
    !label.startsWith("-") &&
    !label.endsWith("-")
  );
}
