import type { Manifest } from "./build.ts";
import type { Named } from "./workloads.ts";

type Cluster = {
  imagePullSecrets?: Named[];
  storage: { storageClass?: string };
  certificates?: { serverTLSSecret: string; serverCASecret: string };
  bootstrap?: { initdb?: { secret?: Named } };
  managed?: { roles?: { passwordSecret?: Named }[] };
  plugins?: { parameters?: { barmanObjectName?: string } }[];
};
type RabbitmqCluster = {
  imagePullSecrets?: Named[];
  persistence?: { storageClassName?: string };
  tls?: { secretName: string };
  secretBackend?: { externalSecret?: Named };
};
type ExternalSecret = { target?: { name?: string }; data: { secretKey: string }[] };

/** The secrets that cert-manager and External Secrets write, with their keys. */
export function writtenSecrets(manifests: readonly Manifest[]): Manifest[] {
  const secret = (name: string, keys: readonly string[], labels = {}): Manifest => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, labels },
    data: Object.fromEntries(keys.map((key) => [key, ""])),
  });
  return manifests.flatMap(({ kind, metadata, spec }) => {
    if (kind === "Certificate")
      return [
        secret(
          (spec as { secretName: string }).secretName,
          ["tls.crt", "tls.key", "ca.crt"],
          metadata.labels,
        ),
      ];
    if (kind !== "ExternalSecret") return [];
    const { target, data } = spec as ExternalSecret;
    const keys = data.map(({ secretKey }) => secretKey);
    return [secret(target?.name ?? metadata.name, keys, metadata.labels)];
  });
}

/** The labels of pods that operators make of their objects. */
export function operatorPods(manifests: readonly Manifest[]): Record<string, string>[] {
  return manifests.flatMap(({ kind, metadata }): Record<string, string>[] => {
    if (kind === "Cluster") return [{ "cnpg.io/cluster": metadata.name }];
    return kind === "RabbitmqCluster" ? [{ "app.kubernetes.io/name": metadata.name }] : [];
  });
}

/** Claims of operators' objects: title and storage class. */
export function operatorClaims(
  manifests: readonly Manifest[],
): [title: string, storageClass: string | undefined][] {
  return manifests.flatMap(({ kind, metadata, spec }): [string, string | undefined][] => {
    const title = `${kind} ${metadata.name}`;
    if (kind === "Cluster") return [[title, (spec as Cluster).storage.storageClass]];
    if (kind !== "RabbitmqCluster") return [];
    return [[title, (spec as RabbitmqCluster).persistence?.storageClassName]];
  });
}

/** Checks that operators' objects name secrets and objects that are there. */
export function operatorReferences(manifests: readonly Manifest[]): string[] {
  const find = (kind: string, name: string): Manifest | undefined =>
    manifests.find((one) => one.kind === kind && one.metadata.name === name);
  return manifests.flatMap(({ kind, metadata, spec }) => {
    const wanted = WANTED[kind]?.(spec) ?? [];
    return wanted
      .filter(([of, name, key]) => {
        const found = find(of, name);
        return found === undefined || (key !== undefined && !(key in (found.data ?? {})));
      })
      .map(([of, name, key]) => `${kind} ${metadata.name} wants ${of} ${name}, ${key ?? "any"}`);
  });
}

type Wanted = [kind: string, name: string, key?: string];
const secretsOf = (names: readonly (Named | undefined)[], key?: string): Wanted[] =>
  names.flatMap((one): Wanted[] =>
    one === undefined ? [] : [key === undefined ? ["Secret", one.name] : ["Secret", one.name, key]],
  );

const WANTED: Readonly<Record<string, (spec: unknown) => Wanted[]>> = {
  Cluster: (spec) => {
    const { imagePullSecrets, certificates, bootstrap, managed, plugins } = spec as Cluster;
    const owners = [
      bootstrap?.initdb?.secret,
      ...(managed?.roles ?? []).map(({ passwordSecret }) => passwordSecret),
    ];
    return [
      ...secretsOf(imagePullSecrets ?? []),
      ...secretsOf(owners, "username"),
      ...secretsOf(owners, "password"),
      ...(certificates
        ? secretsOf(
            [{ name: certificates.serverTLSSecret }, { name: certificates.serverCASecret }],
            "ca.crt",
          )
        : []),
      ...(plugins ?? []).map(({ parameters }): Wanted => [
        "ObjectStore",
        parameters?.barmanObjectName ?? "",
      ]),
    ];
  },
  ScheduledBackup: (spec) => [["Cluster", (spec as { cluster: Named }).cluster.name]],
  RabbitmqCluster: (spec) => {
    const { imagePullSecrets, tls, secretBackend } = spec as RabbitmqCluster;
    return [
      ...secretsOf(imagePullSecrets ?? []),
      ...secretsOf([secretBackend?.externalSecret], "default_user.conf"),
      ...(tls ? secretsOf([{ name: tls.secretName }], "tls.key") : []),
    ];
  },
};
