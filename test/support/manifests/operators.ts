import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { ROOT } from "../../../tools/root.ts";
import type { Manifest } from "./build.ts";

type Schema = Record<string, unknown>;

const text: Schema = { type: "string", minLength: 1 };
const flag: Schema = { type: "boolean" };
const quantity: Schema = { type: "string", pattern: "^\\d+(\\.\\d+)?(m|Ki|Mi|Gi|Ti)?$" };
const texts: Schema = { type: "object", additionalProperties: { type: "string" } };
const count = (minimum: number): Schema => ({ type: "integer", minimum });
const oneOf = (...values: string[]): Schema => ({ enum: values });
const listOf = (items: Schema): Schema => ({ type: "array", minItems: 1, items });
/** An object that has all of `required`, and of `optional` what it likes, and nothing else. */
const closed = (
  required: Record<string, Schema>,
  optional: Record<string, Schema> = {},
): Schema => ({
  type: "object",
  required: Object.keys(required),
  properties: { ...required, ...optional },
  additionalProperties: false,
});
const named = closed({ name: text });
const keyOf = closed({ name: text, key: text });
const resources = closed({
  requests: closed({ cpu: quantity, memory: quantity }),
  limits: closed({ cpu: quantity, memory: quantity }),
});

/**
 * What the components may write into the objects of operators, closed: written by hand from the
 * operators' API references (CloudNativePG 1.29, Barman Cloud plugin 0.14, RabbitMQ Cluster
 * Operator 2.22), for the fields that are used. The operators' own CRDs know more fields.
 */
const SPECS: Readonly<Record<string, Schema>> = {
  "postgresql.cnpg.io/v1/Cluster": closed(
    { instances: count(1), storage: closed({ size: quantity, storageClass: text }) },
    {
      imageName: text,
      imagePullSecrets: listOf(named),
      priorityClassName: text,
      resources,
      postgresql: closed(
        { parameters: texts },
        {
          pg_hba: listOf(text),
          synchronous: closed(
            { method: oneOf("any", "first"), number: count(1) },
            { dataDurability: oneOf("required", "preferred") },
          ),
        },
      ),
      certificates: closed({ serverTLSSecret: text, serverCASecret: text }),
      bootstrap: closed({
        initdb: closed({ database: text, owner: text, secret: named }, { dataChecksums: flag }),
      }),
      managed: closed(
        {},
        {
          roles: listOf(
            closed(
              { name: text },
              {
                ensure: oneOf("present", "absent"),
                login: flag,
                createrole: flag,
                passwordSecret: named,
              },
            ),
          ),
          services: closed(
            {},
            {
              disabledDefaultServices: listOf(oneOf("ro", "r")),
              additional: listOf(
                closed({
                  selectorType: oneOf("rw", "r", "ro"),
                  serviceTemplate: closed({ metadata: named }),
                }),
              ),
            },
          ),
        },
      ),
      plugins: listOf(closed({ name: text }, { isWALArchiver: flag, parameters: texts })),
      affinity: closed(
        {},
        {
          enablePodAntiAffinity: flag,
          podAntiAffinityType: oneOf("required", "preferred"),
          topologyKey: text,
        },
      ),
    },
  ),
  "postgresql.cnpg.io/v1/ScheduledBackup": closed(
    // Six fields: seconds come first.
    { schedule: { type: "string", pattern: "^(\\S+ ){5}\\S+$" }, cluster: named },
    {
      immediate: flag,
      backupOwnerReference: oneOf("none", "self", "cluster"),
      method: oneOf("barmanObjectStore", "volumeSnapshot", "plugin"),
      pluginConfiguration: closed({ name: text }, { parameters: texts }),
    },
  ),
  "barmancloud.cnpg.io/v1/ObjectStore": closed(
    {
      configuration: closed(
        {
          destinationPath: { type: "string", pattern: "^s3://" },
          s3Credentials: closed({ accessKeyId: keyOf, secretAccessKey: keyOf }),
        },
        {
          endpointURL: text,
          wal: closed({}, { compression: text, maxParallel: count(1) }),
          data: closed({}, { compression: oneOf("bzip2", "gzip", "snappy"), jobs: count(1) }),
        },
      ),
    },
    { retentionPolicy: { type: "string", pattern: "^[1-9]\\d*[dwm]$" } },
  ),
  "rabbitmq.com/v1beta1/RabbitmqCluster": closed(
    { replicas: count(0) },
    {
      image: text,
      imagePullSecrets: listOf(named),
      terminationGracePeriodSeconds: count(0),
      persistence: closed({ storage: quantity }, { storageClassName: text }),
      resources,
      tls: closed({ secretName: text }, { caSecretName: text, disableNonTLSListeners: flag }),
      secretBackend: closed({ externalSecret: named }),
      rabbitmq: closed({}, { additionalConfig: text, additionalPlugins: listOf(text) }),
      // As of Kubernetes' own pods and stateful sets.
      affinity: { type: "object" },
      override: closed({ statefulSet: { type: "object" } }),
    },
  ),
};

const CRDS = join(ROOT, ".data", "crds");
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });

export const isOperators = ({ apiVersion, kind }: Manifest): boolean =>
  `${apiVersion}/${kind}` in SPECS;

/** Validates the objects of operators by the closed schemas above. */
export function operatorErrors(manifests: readonly Manifest[]): string[] {
  return manifests
    .filter(isOperators)
    .flatMap((one) => problems(one, SPECS[`${one.apiVersion}/${one.kind}`] ?? {}, one.spec));
}

/**
 * Validates the same objects by the operators' CRDs, where you have put their files (YAML) into
 * .data/crds. Undefined where there are none.
 */
export function upstreamErrors(manifests: readonly Manifest[]): string[] | undefined {
  const files = existsSync(CRDS) ? globSync("*.yaml", { cwd: CRDS }) : [];
  if (files.length === 0) return undefined;
  type Crd = {
    spec: {
      group: string;
      names: { kind: string };
      versions: { name: string; schema: { openAPIV3Schema: { properties: { spec: Schema } } } }[];
    };
  };
  const schemas = new Map(
    files.flatMap((file) => {
      const { group, names, versions } = (parse(readFileSync(join(CRDS, file), "utf8")) as Crd)
        .spec;
      return versions.map(({ name, schema }): [string, Schema] => [
        `${group}/${name}/${names.kind}`,
        close(schema.openAPIV3Schema.properties.spec),
      ]);
    }),
  );
  return manifests.filter(isOperators).flatMap((one) => {
    const schema = schemas.get(`${one.apiVersion}/${one.kind}`);
    return schema ? problems(one, schema, one.spec) : [`${one.kind} has no CRD in .data/crds`];
  });
}

function problems({ kind, metadata }: Manifest, schema: Schema, spec: unknown): string[] {
  const validate = ajv.compile(schema);
  if (validate(spec)) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) => {
    const { additionalProperty = "" } = params as { additionalProperty?: string };
    return `${kind} ${metadata.name}: ${instancePath} ${message} ${additionalProperty}`.trim();
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
