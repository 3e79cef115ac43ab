import type { Manifest } from "./build.ts";
import {
  type Container,
  containersOf,
  hasPort,
  type Labels,
  type Named,
  selects,
  type Workload,
  workloadsOf,
} from "./workloads.ts";
import { edgeErrors } from "./edge.ts";
import { operatorPods, operatorReferences, writtenSecrets } from "./operator-objects.ts";
import { schedulingErrors } from "./scheduling.ts";

const PROBES = ["startupProbe", "livenessProbe", "readinessProbe"] as const;

/**
 * Checks what schemas cannot: names, ports, and what every pod of the engine needs. Empty if
 * good.
 */
export function policyErrors(built: readonly Manifest[]): string[] {
  const manifests = [...built, ...writtenSecrets(built)];
  const workloads = workloadsOf(manifests);
  return [
    ...workloads.flatMap((workload) => [
      ...references(workload, manifests),
      ...hardening(workload),
      ...ports(workload),
    ]),
    ...services(manifests, workloads),
    ...selectors(manifests, workloads),
    ...scaling(manifests, workloads),
    ...edgeErrors(built),
    ...schedulingErrors(built),
    ...operatorReferences(manifests),
  ];
}

/** Checks that secrets, configuration, claims, accounts and their keys exist. */
function references(workload: Workload, manifests: readonly Manifest[]): string[] {
  const { title, pod, claims } = workload;
  const find = (kind: string, name: string): Manifest | undefined =>
    manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  const errors: string[] = [];
  const needs = (kind: string, name: string, keys: readonly string[] = []): void => {
    const found = find(kind, name);
    if (found === undefined) errors.push(`${title} wants ${kind} ${name}, which is not there`);
    for (const key of keys)
      if (found !== undefined && !(key in (found.data ?? {})))
        errors.push(`${title} wants ${key} of ${kind} ${name}`);
  };
  for (const { name, secret, configMap, persistentVolumeClaim, projected } of pod.volumes ?? []) {
    if (secret && secret.optional !== true)
      needs(
        "Secret",
        secret.secretName,
        secret.items?.map(({ key }) => key),
      );
    if (configMap) needs("ConfigMap", configMap.name);
    if (persistentVolumeClaim) needs("PersistentVolumeClaim", persistentVolumeClaim.claimName);
    for (const source of projected?.sources ?? []) {
      if (source.secret)
        needs(
          "Secret",
          source.secret.name,
          source.secret.items?.map(({ key }) => key),
        );
      if (source.configMap) needs("ConfigMap", source.configMap.name);
    }
    if (
      !containersOf(workload).some(({ volumeMounts = [] }) =>
        volumeMounts.some((mount) => mount.name === name),
      )
    )
      errors.push(`${title} has volume ${name}, which no container mounts`);
  }
  if (pod.serviceAccountName !== undefined) needs("ServiceAccount", pod.serviceAccountName);
  const volumes = new Set([...(pod.volumes ?? []).map(({ name }) => name), ...claims]);
  for (const container of containersOf(workload)) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      if (configMapRef) needs("ConfigMap", configMapRef.name);
      if (secretRef) needs("Secret", secretRef.name);
    }
    for (const { name } of container.volumeMounts ?? [])
      if (!volumes.has(name)) errors.push(`${title} mounts ${name}, which is no volume`);
    errors.push(...files(workload, container, manifests));
  }
  return errors;
}

/** Checks that a variable names a file that a mounted secret has. */
function files(
  { title, pod }: Workload,
  container: Container,
  manifests: readonly Manifest[],
): string[] {
  return (container.env ?? []).flatMap(({ name, value = "" }) => {
    if (!value.startsWith("/secrets/") || !name.endsWith("_FILE")) return [];
    const mount = (container.volumeMounts ?? []).find(({ mountPath }) =>
      value.startsWith(`${mountPath}/`),
    );
    const volume = pod.volumes?.find((candidate) => candidate.name === mount?.name);
    const secret = manifests.find(
      ({ kind, metadata }) => kind === "Secret" && metadata.name === volume?.secret?.secretName,
    );
    const key = value.slice((mount?.mountPath.length ?? 0) + 1);
    return key in (secret?.data ?? {})
      ? []
      : [`${title}: ${name} names ${value}, which no secret brings`];
  });
}

function hardening(workload: Workload): string[] {
  const { title, pod } = workload;
  const errors: string[] = [];
  if (pod.securityContext?.runAsNonRoot !== true) errors.push(`${title} may run as root`);
  if (pod.securityContext?.seccompProfile?.type !== "RuntimeDefault")
    errors.push(`${title} has no seccomp profile`);
  for (const { name, securityContext, resources } of containersOf(workload)) {
    if (securityContext?.allowPrivilegeEscalation !== false)
      errors.push(`${title}/${name} may gain privileges`);
    if (securityContext?.readOnlyRootFilesystem !== true)
      errors.push(`${title}/${name} may write its root`);
    if (!securityContext?.capabilities?.drop?.includes("ALL"))
      errors.push(`${title}/${name} keeps capabilities`);
    if (resources?.requests?.cpu === undefined) errors.push(`${title}/${name} requests no CPU`);
    if (resources?.requests?.memory !== resources?.limits?.memory)
      errors.push(`${title}/${name}: memory requested is not its limit`);
  }
  return errors;
}

/** Checks that probes use open ports, servers have a readiness probe, and ports are configured. */
function ports(workload: Workload): string[] {
  const { title, pod, kind } = workload;
  const errors: string[] = [];
  for (const container of pod.containers) {
    for (const probe of PROBES) {
      const port = container[probe]?.httpGet?.port ?? container[probe]?.tcpSocket?.port;
      if (port !== undefined && !hasPort(container, port))
        errors.push(`${title}: ${probe} asks port ${port}, which is not opened`);
    }
    if (kind !== "Job" && kind !== "CronJob" && container.readinessProbe === undefined)
      errors.push(`${title} has no readiness probe`);
    for (const [variable, name] of [
      ["PORT", "http"],
      ["HEALTH_PORT", "health"],
      ["METRICS_PORT", "metrics"],
    ] as const) {
      const value = container.env?.find((one) => one.name === variable)?.value;
      const opened = container.ports?.find((port) => port.name === name)?.containerPort;
      if (value !== undefined && opened !== Number(value))
        errors.push(`${title}: ${variable} is ${value}, its port ${name} ${opened}`);
    }
  }
  return errors;
}

/** Checks that services select pods with their ports, and routes lead to services. */
function services(manifests: readonly Manifest[], workloads: readonly Workload[]): string[] {
  type Spec = {
    selector?: Record<string, string>;
    ports: { name?: string; port: number; targetPort?: string | number }[];
  };
  const errors: string[] = [];
  const known = new Map<string, Spec>();
  for (const { kind, metadata, spec } of manifests) {
    if (kind !== "Service") continue;
    const service = spec as Spec;
    known.set(metadata.name, service);
    const chosen = workloads.filter(
      ({ labels }) => service.selector !== undefined && selects(service.selector, labels),
    );
    if (chosen.length === 0) errors.push(`Service ${metadata.name} selects no pod`);
    for (const { pod } of chosen)
      for (const { port, targetPort = port } of service.ports)
        if (!pod.containers.some((container) => hasPort(container, targetPort)))
          errors.push(`Service ${metadata.name} sends to port ${targetPort}, which is not opened`);
  }
  const served = (from: string, name: string, port: string | number): void => {
    const service = known.get(name);
    if (!service?.ports.some((one) => one.port === port || one.name === port))
      errors.push(`${from} leads to ${name}:${port}, which is no service`);
  };
  for (const { kind, metadata, spec } of manifests) {
    if (kind === "HTTPRoute")
      for (const { backendRefs = [] } of (
        spec as { rules: { backendRefs?: { name: string; port: number }[] }[] }
      ).rules)
        for (const { name, port } of backendRefs) served(`HTTPRoute ${metadata.name}`, name, port);
    if (kind === "Ingress")
      for (const { http } of (
        spec as {
          rules: {
            http: { paths: { backend: { service: Named & { port: { name: string } } } }[] };
          }[];
        }
      ).rules)
        for (const { backend } of http.paths)
          served(`Ingress ${metadata.name}`, backend.service.name, backend.service.port.name);
    if (kind === "StatefulSet" && !known.has((spec as { serviceName: string }).serviceName))
      errors.push(`StatefulSet ${metadata.name} is named by a service that is not there`);
  }
  return errors;
}

/** Checks that budgets, network policies and workloads select existing pods. */
function selectors(manifests: readonly Manifest[], workloads: readonly Workload[]): string[] {
  return manifests.flatMap(({ kind, metadata, spec }) => {
    const { podSelector, selector } = (spec ?? {}) as { podSelector?: Labels; selector?: Labels };
    const chosen = (kind === "NetworkPolicy" ? podSelector : selector)?.matchLabels;
    if (
      !["NetworkPolicy", "PodDisruptionBudget", "Deployment", "StatefulSet"].includes(kind) ||
      chosen === undefined
    )
      return [];
    // cert-manager makes these pods while it proves a name.
    if ("acme.cert-manager.io/http01-solver" in chosen) return [];
    const pods = [...workloads.map(({ labels }) => labels), ...operatorPods(manifests)];
    return pods.some((labels) => selects(chosen, labels))
      ? []
      : [`${kind} ${metadata.name} selects no pod`];
  });
}

/**
 * Checks that scaled objects exist once and set no replicas, and that replicated ones have a
 * budget.
 */
function scaling(manifests: readonly Manifest[], workloads: readonly Workload[]): string[] {
  const scalers = manifests.filter(
    ({ kind }) => kind === "HorizontalPodAutoscaler" || kind === "ScaledObject",
  );
  const targets = scalers.map(
    ({ spec }) => (spec as { scaleTargetRef: { kind: string; name: string } }).scaleTargetRef,
  );
  const titles = targets.map(({ kind, name }) => `${kind} ${name}`);
  const errors = titles.flatMap((title, index) => {
    const workload = workloads.find((one) => one.title === title);
    if (workload === undefined)
      return [`${scalers[index]?.kind} scales ${title}, which is not there`];
    if (titles.indexOf(title) !== index) return [`${title} is scaled twice`];
    return workload.replicas === undefined ? [] : [`${title} is scaled and sets its replicas`];
  });
  for (const { title, labels } of workloads) {
    const many =
      titles.includes(title) || (workloads.find((one) => one.title === title)?.replicas ?? 1) > 1;
    const budget = manifests.some(
      ({ kind, spec }) =>
        kind === "PodDisruptionBudget" &&
        selects((spec as { selector: Labels }).selector.matchLabels ?? {}, labels),
    );
    if (many && !budget) errors.push(`${title} has no disruption budget`);
  }
  return errors;
}
