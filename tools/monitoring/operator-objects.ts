import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { groupsOf, MONITORING, ruleFiles } from "./rule-files.ts";

const HEAD = "# Generated from kubernetes/monitoring by `npx boxoffice docs`.\n";
const API = "monitoring.coreos.com/v1";
const LABEL = "app.kubernetes.io/name";

type Relabeling = {
  sourceLabels?: string[];
  targetLabel?: string;
  action?: string;
  regex?: string;
  replacement?: string;
};
type ScrapeConfig = {
  job_name: string;
  metrics_path?: string;
  params?: Record<string, string[]>;
};

/** The rules of kubernetes/monitoring/rules as PrometheusRules, one for each file. */
export function prometheusRules(): string {
  const objects = ruleFiles().map((file) => ({
    apiVersion: API,
    kind: "PrometheusRule",
    metadata: { name: `boxoffice-${file.replace(/\.yml$/, "")}`, labels: { [LABEL]: "boxoffice" } },
    spec: { groups: groupsOf(file) },
  }));
  return HEAD + objects.map((object) => stringify(object, { lineWidth: 0 })).join("---\n");
}

/**
 * PodMonitors that scrape the same pods under the same names of jobs, instances and roles as
 * prometheus.yml: rules and dashboards read them.
 */
export function podMonitors(): string {
  const { scrape_configs, global } = parse(
    readFileSync(join(MONITORING, "prometheus.yml"), "utf8"),
  ) as { scrape_configs: ScrapeConfig[]; global: { scrape_interval: string } };
  const objects = Object.entries(PODS).map(([job, matchLabels]) => {
    const { metrics_path: path = "/metrics", params } =
      scrape_configs.find(({ job_name }) => job_name === job) ?? missing(job);
    const relabelings: Relabeling[] = [
      { targetLabel: "job", replacement: job },
      { sourceLabels: ["__meta_kubernetes_pod_name"], targetLabel: "instance" },
      {
        sourceLabels: ["__meta_kubernetes_pod_label_app_kubernetes_io_name"],
        targetLabel: "role",
      },
      // One node of RabbitMQ reports all queues.
      ...(job === "rabbitmq" ? [ONLY_THE_FIRST] : []),
    ];
    const endpoint = {
      port: "metrics",
      path,
      ...(params === undefined ? {} : { params }),
      interval: global.scrape_interval,
      relabelings,
    };
    return {
      apiVersion: API,
      kind: "PodMonitor",
      metadata: { name: `boxoffice-${job}`, labels: { [LABEL]: "boxoffice" } },
      spec: {
        selector: { matchLabels },
        podMetricsEndpoints: [endpoint],
      },
    };
  });
  return HEAD + objects.map((object) => stringify(object)).join("---\n");
}

/** The pods of each job that every cluster has. */
const PODS: Readonly<Record<string, Record<string, string>>> = {
  boxoffice: { "boxoffice/node": "true" },
  rabbitmq: { [LABEL]: "rabbitmq" },
  "rabbitmq-node": { [LABEL]: "rabbitmq" },
};

const ONLY_THE_FIRST: Relabeling = {
  sourceLabels: ["__meta_kubernetes_pod_name"],
  action: "keep",
  regex: "rabbitmq-0",
};

function missing(job: string): never {
  throw new Error(`prometheus.yml has no job ${job}`);
}
