import type { Manifest } from "./build.ts";
import { operatorClaims, writtenSecrets } from "./operator-objects.ts";
import { selects, type Workload, workloadsOf } from "./workloads.ts";

/** The addresses that answer DNS beside the cluster's servers: NodeLocal DNSCache. */
const NODE_LOCAL_DNS = ["169.254.20.10/32", "10.96.0.10/32"];
const MIGRATION = { "boxoffice/migration": "true" };

type Claim = { spec: { storageClassName?: string } };
type Rule = { to: { ipBlock?: { cidr: string } }[]; ports: { port: number | string }[] };

/** Checks what a cluster decides by: priorities, lifetimes of jobs, DNS, what migrates first. */
export function schedulingErrors(manifests: readonly Manifest[]): string[] {
  const workloads = workloadsOf(manifests);
  const classes = manifests
    .filter(({ kind }) => kind === "PriorityClass")
    .map(({ metadata }) => metadata.name);
  return [
    ...workloads
      .filter(({ pod }) => !classes.includes(pod.priorityClassName ?? ""))
      .map(({ title }) => `${title} has no priority class`),
    ...lifetimes(manifests),
    ...dns(manifests),
    ...migration(manifests, workloads),
  ];
}

/** Checks that every claim names its storage class and every pod a secret to pull images by. */
export function productionErrors(manifests: readonly Manifest[]): string[] {
  const secrets = [...manifests, ...writtenSecrets(manifests)]
    .filter(({ kind }) => kind === "Secret")
    .map(({ metadata }) => metadata.name);
  return [
    ...operatorClaims(manifests)
      .filter(([, storageClass]) => storageClass === undefined)
      .map(([title]) => `${title} names no storage class`),
    ...claimsOf(manifests)
      .filter(([, { spec }]) => spec.storageClassName === undefined)
      .map(([title]) => `${title} names no storage class`),
    ...workloadsOf(manifests)
      .filter(({ pod }) => !pod.imagePullSecrets?.some(({ name }) => secrets.includes(name)))
      .map(({ title }) => `${title} names no secret to pull its images by`),
  ];
}

function claimsOf(manifests: readonly Manifest[]): [title: string, claim: Claim][] {
  const own = manifests.flatMap(({ kind, metadata, spec }): [string, Claim][] => {
    const title = `${kind} ${metadata.name}`;
    if (kind === "PersistentVolumeClaim") return [[title, { spec: spec as Claim["spec"] }]];
    const { volumeClaimTemplates = [] } = (spec ?? {}) as { volumeClaimTemplates?: Claim[] };
    return volumeClaimTemplates.map((claim) => [title, claim]);
  });
  const ephemeral = workloadsOf(manifests).flatMap(({ title, pod }) =>
    (pod.volumes ?? []).flatMap((volume): [string, Claim][] =>
      volume.ephemeral === undefined ? [] : [[title, volume.ephemeral.volumeClaimTemplate]],
    ),
  );
  return [...own, ...ephemeral];
}

function lifetimes(manifests: readonly Manifest[]): string[] {
  return manifests
    .filter(({ kind }) => kind === "Job" || kind === "CronJob")
    .filter(({ spec }) => {
      type Lived = { ttlSecondsAfterFinished?: number };
      const job = spec as Lived & { jobTemplate?: { spec: Lived } };
      return (job.jobTemplate?.spec ?? job).ttlSecondsAfterFinished === undefined;
    })
    .map(({ kind, metadata }) => `${kind} ${metadata.name} is kept for ever`);
}

function dns(manifests: readonly Manifest[]): string[] {
  const policy = manifests.find(
    ({ kind, metadata }) => kind === "NetworkPolicy" && metadata.name === "dns",
  );
  const allowed = ((policy?.spec as { egress: Rule[] } | undefined)?.egress ?? [])
    .filter(({ ports }) => ports.filter(({ port }) => port === 53).length === 2)
    .flatMap(({ to }) => to.map(({ ipBlock }) => ipBlock?.cidr));
  return NODE_LOCAL_DNS.filter((address) => !allowed.includes(address)).map(
    (address) => `NetworkPolicy dns does not allow NodeLocal DNSCache at ${address}`,
  );
}

/** Checks that the objects with the migration's label have all that its job needs. */
function migration(manifests: readonly Manifest[], workloads: readonly Workload[]): string[] {
  const applied = manifests.filter(({ metadata }) => selects(MIGRATION, metadata.labels ?? {}));
  const titles = applied.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  const issued = writtenSecrets(applied).map(({ metadata }) => `Secret ${metadata.name}`);
  const job = workloads.find(({ title }) => title === "Job migrate");
  const needed = (job?.pod.volumes ?? []).flatMap(({ secret, configMap }) => [
    ...(secret ? [`Secret ${secret.secretName}`] : []),
    ...(configMap ? [`ConfigMap ${configMap.name}`] : []),
  ]);
  return ["Job migrate", "NetworkPolicy migrate", ...needed]
    .filter((title) => !titles.includes(title) && !issued.includes(title))
    .map((title) => `${title} does not come with the migration`);
}
