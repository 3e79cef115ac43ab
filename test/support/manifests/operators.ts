import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Ajv } from "ajv";
import type { Manifest } from "./build.ts";

type Schema = Record<string, unknown>;

/** Schemas of the operators' CRDs; the README there says which releases. */
const CRDS = join(import.meta.dirname, "crds");
/** What the CRDs leave to the operators' own checks. */
const RULES: Readonly<Record<string, readonly [path: string, rule: RegExp][]>> = {
  "postgresql.cnpg.io_v1_Cluster": [["storage.size", /^\d+(\.\d+)?(m|Ki|Mi|Gi|Ti)?$/]],
  // Six fields: seconds come first.
  "postgresql.cnpg.io_v1_ScheduledBackup": [["schedule", /^(\S+ ){5}\S+$/]],
  "barmancloud.cnpg.io_v1_ObjectStore": [["configuration.destinationPath", /^s3:\/\//]],
};
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });

const schemas = new Map(
  globSync("*.json", { cwd: CRDS }).map((file): [string, Schema] => [
    basename(file, ".json"),
    close(JSON.parse(readFileSync(join(CRDS, file), "utf8"))),
  ]),
);

const titleOf = ({ apiVersion, kind }: Manifest): string =>
  `${apiVersion.replace("/", "_")}_${kind}`;

export const isOperators = (one: Manifest): boolean => schemas.has(titleOf(one));

/** Validates the objects of operators by their CRDs, in which no other field may be. */
export function operatorErrors(manifests: readonly Manifest[]): string[] {
  return manifests.flatMap((one) => {
    const schema = schemas.get(titleOf(one));
    if (schema === undefined) return [];
    const name = `${one.kind} ${one.metadata.name}`;
    const broken = (RULES[titleOf(one)] ?? [])
      .filter(([path, rule]) => !rule.test(String(valueAt(one.spec, path))))
      .map(([path, rule]) => `${name}: ${path} must match pattern ${String(rule)}`);
    return [...problems(name, schema, one.spec), ...broken];
  });
}

function valueAt(spec: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], spec);
}

function problems(name: string, schema: Schema, spec: unknown): string[] {
  const validate = ajv.compile(schema);
  if (validate(spec)) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) => {
    const { additionalProperty = "" } = params as { additionalProperty?: string };
    return `${name}: ${instancePath} ${message} ${additionalProperty}`.trim();
  });
}

/** Kubernetes prunes unknown fields silently: here they are errors. */
function close(schema: unknown): Schema {
  if (typeof schema !== "object" || schema === null) return schema as Schema;
  if (Array.isArray(schema)) return schema.map(close) as unknown as Schema;
  const copy = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, close(value)]),
  );
  const open = "additionalProperties" in copy || "x-kubernetes-preserve-unknown-fields" in copy;
  return "properties" in copy && !open ? { ...copy, additionalProperties: false } : copy;
}
