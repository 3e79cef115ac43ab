import type { Manifest } from "./build.ts";
import { containersOf, workloadsOf } from "./workloads.ts";

/** Thousandths of a core: of "250m" or "2". */
export const thousandths = (text: string): number =>
  text.endsWith("m") ? Number.parseInt(text, 10) : Number(text) * 1_000;

/** Megabytes: of "512Mi" or "2Gi". */
export const megabytes = (text: string): number =>
  Number.parseInt(text, 10) * (text.endsWith("Gi") ? 1_024 : 1);

/**
 * What all pods together request at the least scale, with one job of each kind that can run beside
 * them.
 */
export function minimumRequests(manifests: readonly Manifest[]): { cpu: number; memory: number } {
  const sum = { cpu: 0, memory: 0 };
  for (const workload of workloadsOf(manifests)) {
    const scaler = manifests.find(
      ({ kind, spec }) =>
        kind === "HorizontalPodAutoscaler" &&
        `${(spec as Scaler).scaleTargetRef.kind} ${(spec as Scaler).scaleTargetRef.name}` ===
          workload.title,
    );
    const pods = (scaler?.spec as Scaler | undefined)?.minReplicas ?? workload.replicas ?? 1;
    // Containers of an init phase run before the others.
    const { cpu = [], memory = [] } = Object.fromEntries(
      (["cpu", "memory"] as const).map((resource) => [
        resource,
        containersOf(workload).map((one) => one.resources?.requests?.[resource] ?? "0"),
      ]),
    );
    sum.cpu += pods * Math.max(...cpu.map(thousandths));
    sum.memory += pods * Math.max(...memory.map(megabytes));
  }
  return sum;
}

type Scaler = { scaleTargetRef: { kind: string; name: string }; minReplicas: number };
