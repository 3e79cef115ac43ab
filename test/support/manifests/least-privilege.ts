import type { Manifest } from "./build.ts";
import { containersOf, type Workload, workloadsOf } from "./workloads.ts";

/** The pods with SQL, and the roles of PostgreSQL whose URLs they get. */
const ROLES: Readonly<Record<string, readonly string[]>> = {
  auth: ["boxoffice_engine"],
  catalog: ["boxoffice_engine"],
  purchasing: ["boxoffice_engine"],
  ledger: ["boxoffice_engine"],
  notifier: ["boxoffice_engine"],
  retention: ["boxoffice_engine"],
  backup: ["boxoffice_backup"],
  migrate: ["boxoffice", "boxoffice_backup", "boxoffice_engine"],
};

/** What must be in a server's configuration, and what must not. */
const SERVERS: Readonly<Record<string, { has: readonly RegExp[]; not: RegExp }>> = {
  postgres: {
    has: [/\bssl=on\b/, /^hostssl all all all scram-sha-256$/m],
    not: /^host(?:nossl|gssenc|nogssenc)?\s/m,
  },
  redis: { has: [/^port 0$/m, /^tls-port 6379$/m], not: /^port [1-9]/m },
  rabbitmq: {
    has: [/^listeners\.tcp = none$/m, /^listeners\.ssl\.default = 5671$/m],
    not: /^listeners\.tcp\.\w+ =/m,
  },
  nats: {
    has: [/^tls \{[^}]*cert_file[^}]*\}/m, /cluster \{[^]*tls \{ [^}]*ca_file/],
    not: /allow_non_tls/,
  },
};
const HAS_TLS = /^(?:rediss|amqps|tls):\/\/|^postgres:\/\/.*[?&]sslmode=verify-full(?:&|$)/;
const IS_SERVER = /^(?:postgres|redis|rediss|amqp|amqps|nats|tls):\/\//;

/** Names each pod whose URLs of PostgreSQL are not those of the roles that it needs. */
export function credentialErrors(manifests: readonly Manifest[]): string[] {
  return workloadsOf(manifests).flatMap((workload) => {
    const { title } = workload;
    const found = urlsOf(workload, manifests).filter((url) => url.startsWith("postgres://"));
    const roles = [...new Set(found.map((url) => new URL(url).username))].sort();
    const wanted = ROLES[title.split(" ")[1] ?? ""] ?? [];
    const named = containersOf(workload)
      .flatMap(({ env = [] }) => env.map(({ name }) => name))
      .filter((name) => wanted.length === 0 && name.includes("DATABASE_URL"));
    return [
      ...named.map((name) => `${title} has ${name}`),
      ...(roles.join() === wanted.join() ? [] : [`${title} has the roles ${roles.join()}`]),
    ];
  });
}

/** Names each URL without TLS, each client without an authority, and each server's open door. */
export function tlsErrors(manifests: readonly Manifest[]): string[] {
  return workloadsOf(manifests).flatMap((workload) => {
    const { title } = workload;
    const urls = urlsOf(workload, manifests);
    const errors = urls
      .filter((url) => !HAS_TLS.test(url))
      .map((url) => `${title} connects by ${new URL(url).protocol}`);
    const variables = containersOf(workload).flatMap(({ env = [] }) => env);
    const hasCa = variables.some(
      ({ name, value }) =>
        ["SERVERS_CA_FILE", "PGSSLROOTCERT"].includes(name) && value === "/secrets/ca/ca.crt",
    );
    if (urls.length > 0 && !hasCa) errors.push(`${title} names no authority`);
    const rule = SERVERS[title.replace("StatefulSet ", "")];
    if (rule === undefined) return errors;
    const text = [
      ...texts(workload, manifests),
      ...((workload.pod.containers[0] as { args?: string[] }).args ?? []),
    ].join("\n");
    for (const words of rule.has)
      if (!words.test(text)) errors.push(`${title} has no ${String(words)}`);
    if (rule.not.test(text)) errors.push(`${title} has ${String(rule.not)}`);
    return errors;
  });
}

/** The URLs of servers in the secrets that a pod mounts, whole or in part. */
function urlsOf(workload: Workload, manifests: readonly Manifest[]): string[] {
  if (workload.title.replace("StatefulSet ", "") in SERVERS) return [];
  return texts(workload, manifests).flatMap((text) =>
    text.split(/[\s,]+/).filter((word) => IS_SERVER.test(word)),
  );
}

/** The content of the secrets and configurations that a pod mounts. */
function texts({ pod }: Workload, manifests: readonly Manifest[]): string[] {
  return (pod.volumes ?? []).flatMap(({ secret, configMap, projected }) => [
    ...contents(manifests, "Secret", secret?.secretName),
    ...contents(manifests, "ConfigMap", configMap?.name),
    ...(projected?.sources ?? []).flatMap((source) => [
      ...contents(manifests, "Secret", source.secret?.name),
      ...contents(manifests, "ConfigMap", source.configMap?.name),
    ]),
  ]);
}

function contents(
  manifests: readonly Manifest[],
  kind: "Secret" | "ConfigMap",
  name: string | undefined,
): string[] {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name);
  return Object.values(found?.data ?? {}).map((text) =>
    kind === "Secret" ? Buffer.from(text, "base64").toString() : text,
  );
}
