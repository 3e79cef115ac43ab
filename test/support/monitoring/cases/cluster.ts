import type { AlertCase } from "../rules.ts";
import { constant, type Figures, labelsOf, onSeries } from "./figures.ts";

const JOBS = ["kubelet", "kube-state-metrics", "cert-manager", "keda"];
const up = (jobs: readonly string[]): Figures =>
  Object.fromEntries(jobs.map((job) => [`up{job="${job}"}`, constant(1)]));
const CLAIM = 'namespace="boxoffice",persistentvolumeclaim="data-postgres-0",instance="k"';
const volume = (availableGb: number): Figures => ({
  [`kubelet_volume_stats_available_bytes{${CLAIM}}`]: constant(availableGb * 1e9),
  [`kubelet_volume_stats_capacity_bytes{${CLAIM}}`]: constant(50e9),
});
const failedJob = (name: string): string =>
  `kube_job_failed{namespace="boxoffice",condition="true",job_name="${name}",instance="k"}`;

export const CLUSTER_CASES: AlertCase[] = [
  {
    alert: "ClusterTargetsMissing",
    atMinutes: 10,
    labels: { job: "keda" },
    series: up(JOBS.slice(0, 3)),
    quiet: up(JOBS),
  },
  {
    alert: "VolumeFilling",
    atMinutes: 30,
    labels: labelsOf(CLAIM),
    series: volume(9),
    quiet: volume(11),
  },
  {
    alert: "VolumeFull",
    atMinutes: 30,
    labels: labelsOf(CLAIM),
    series: volume(3),
    quiet: volume(9),
  },
  {
    // Half of it is free, and gone in three hours.
    alert: "VolumeFull",
    atMinutes: 30,
    labels: labelsOf(CLAIM),
    series: {
      ...volume(25),
      [`kubelet_volume_stats_available_bytes{${CLAIM}}`]: "30000000000-150000000x60",
    },
    quiet: {
      ...volume(25),
      [`kubelet_volume_stats_available_bytes{${CLAIM}}`]: "30000000000-50000000x60",
    },
  },
  onSeries(
    "PodCrashLoops",
    5,
    'kube_pod_container_status_waiting_reason{namespace="boxoffice",reason="CrashLoopBackOff",pod="api-1",container="engine",instance="k"}',
    [constant(1), constant(0)],
  ),
  onSeries("JobFailed", 5, failedJob("migrate"), [constant(1), constant(0)]),
  onSeries("RestoreDrillFailed", 5, failedJob("restore-drill-29"), [constant(1), constant(0)]),
  onSeries(
    "RestoreDrillLate",
    20,
    'kube_cronjob_status_last_successful_time{namespace="boxoffice",cronjob="restore-drill",instance="k"}',
    // The clock of promtool begins at 0.
    [constant(-8.5 * 86_400), constant(-7.5 * 86_400)],
    { cronjob: "restore-drill", instance: "k" },
  ),
  onSeries(
    "CertificateNotRenewed",
    80,
    'certmanager_certificate_renewal_timestamp_seconds{namespace="boxoffice",name="postgres",instance="k"}',
    [constant(-3 * 86_400, 90), constant(-1 * 86_400, 90)],
  ),
  onSeries(
    "KedaFallback",
    10,
    'keda_scaled_object_errors_total{namespace="boxoffice",scaledObject="api",instance="k"}',
    ["0+6x60", constant(4)],
    { scaledObject: "api", instance: "k" },
  ),
];
