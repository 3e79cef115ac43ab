import { type ErrorObject, type ValidateFunction, Ajv2020 } from "ajv/dist/2020.js";
import type { ObjectSchema } from "./route.ts";

/** Which field broke which rule; never what was in it. */
export type Broken = { field: string; rule: string };

/** Enough to mend a form; a body of 64 KiB could break thousands. */
const REPORTED_MAX = 20;

const ajv = new Ajv2020({ allErrors: true, useDefaults: true, strict: true });
ajv.addFormat("uuid", /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);
ajv.addFormat("date", isDay);
ajv.addFormat("email", isEmail);

export type Validator = {
  /** Which properties are whole numbers, so that a query's text can be read as one. */
  integers: ReadonlySet<string>;
  ids: readonly string[];
  /** Empty when the object is as the schema says; defaults have then been filled in. */
  broken(value: unknown): Broken[];
};

/** Compiles a schema once. Besides the schema it refuses text that no database holds: NUL and halves of surrogate pairs. */
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

/** A name the client made up is repeated only where it is no more than a name. */
export function plainName(name: string): string {
  return /^[\w.-]{1,64}$/.test(name) ? name : "";
}

/** A day of the calendar that PostgreSQL knows as well: it has no year 0. */
function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text.startsWith("0000")) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/**
 * Whether mail could be sent there: RFC 5321's limits, a local part without spaces, control or quoting characters, and a domain of
 * two labels or more, letters of any script. Lengths first, so that no pattern meets a long text.
 */
function isEmail(text: string): boolean {
  const at = text.lastIndexOf("@");
  if (at < 1 || at > 64 || text.length > 254) return false;
  const labels = text.slice(at + 1).split(".");
  const local = text.slice(0, at);
  const dotted = !local.startsWith(".") && !local.endsWith(".") && !local.includes("..");
  return (
    dotted &&
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
