import type { Manifest } from "./build.ts";

type Port = { name?: string; containerPort: number };
type Probe = {
  httpGet?: { path: string; port: string | number };
  tcpSocket?: { port: string | number };
};
type Resources = { requests?: Record<string, string>; limits?: Record<string, string> };
export type Named = { name: string };
type SecurityContext = {
  allowPrivilegeEscalation?: boolean;
  readOnlyRootFilesystem?: boolean;
  capabilities?: { drop?: string[] };
};

export type Container = Named & {
  image: string;
  env?: (Named & { value?: string })[];
  envFrom?: { configMapRef?: Named; secretRef?: Named }[];
  ports?: Port[];
  resources?: Resources;
  securityContext?: SecurityContext;
  volumeMounts?: (Named & { mountPath: string })[];
} & Partial<Record<"startupProbe" | "livenessProbe" | "readinessProbe", Probe>>;
type Volume = Named & {
  secret?: { secretName: string; items?: { key: string }[]; optional?: boolean };
  configMap?: Named;
  persistentVolumeClaim?: { claimName: string };
  ephemeral?: { volumeClaimTemplate: { spec: { storageClassName?: string } } };
  projected?: { sources: { secret?: Named & { items?: { key: string }[] }; configMap?: Named }[] };
};
type PodSpec = {
  containers: Container[];
  initContainers?: Container[];
  volumes?: Volume[];
  serviceAccountName?: string;
  priorityClassName?: string;
  imagePullSecrets?: Named[];
  terminationGracePeriodSeconds?: number;
  securityContext?: { runAsNonRoot?: boolean; seccompProfile?: { type: string } };
};
export type Workload = {
  title: string;
  kind: string;
  labels: Record<string, string>;
  pod: PodSpec;
  claims: string[];
  replicas: number | undefined;
};
export type Labels = { matchLabels?: Record<string, string> };

/** Returns all objects that make pods, with the pods' labels. */
export function workloadsOf(manifests: readonly Manifest[]): Workload[] {
  return manifests.flatMap(({ kind, metadata, spec }) => {
    type Template = { metadata?: { labels?: Record<string, string> }; spec: PodSpec };
    const body = (spec ?? {}) as {
      template?: Template;
      jobTemplate?: { spec: { template: Template } };
      volumeClaimTemplates?: { metadata: Named }[];
    };
    const template = body.jobTemplate?.spec.template ?? body.template;
    if (template === undefined) return [];
    const claims = (body.volumeClaimTemplates ?? []).map((claim) => claim.metadata.name);
    const { replicas } = body as { replicas?: number };
    return [
      {
        title: `${kind} ${metadata.name}`,
        kind,
        labels: template.metadata?.labels ?? {},
        pod: template.spec,
        claims,
        replicas,
      },
    ];
  });
}

export const containersOf = ({ pod }: Workload): Container[] => [
  ...(pod.initContainers ?? []),
  ...pod.containers,
];
export const selects = (
  selector: Record<string, string>,
  labels: Record<string, string>,
): boolean => Object.entries(selector).every(([name, value]) => labels[name] === value);
export const hasPort = ({ ports = [] }: Container, port: string | number): boolean =>
  ports.some(({ name, containerPort }) => name === port || containerPort === port);
