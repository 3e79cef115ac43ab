import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { freePort } from "../dev-servers/ports.ts";
import { startMonitorProgram } from "./monitor-program.ts";
import { CLUSTER_RULES, groupsOf, MONITORING, ruleFiles, sooner } from "./rule-files.ts";

export type Target = { job: string; url: string };
export type PrometheusOptions = {
  program: string;
  /** An empty folder for configuration and data. */
  folder: string;
  targets: readonly Target[];
  /** Seconds between scrapes, and between evaluations. Default: those of prometheus.yml. */
  intervalS?: number | undefined;
  /** Divides the time that alerts wait. */
  speed?: number;
  /** Port of an Alertmanager on 127.0.0.1. */
  alertmanagerPort?: number;
};
export type FiringAlert = {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  state: "pending" | "firing";
};
export type Prometheus = {
  url: string;
  /** Evaluates an expression. Returns its values with their labels. */
  query(expr: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]>;
  metricNames(): Promise<string[]>;
  alerts(): Promise<FiringAlert[]>;
  stop(): Promise<void>;
};

/** Starts a real Prometheus with our rules, but those that only a cluster has. */
export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const { program, folder } = options;
  for (const name of ["rules", "data"]) mkdirSync(join(folder, name), { recursive: true });
  for (const file of ruleFiles().filter((name) => name !== CLUSTER_RULES))
    writeFileSync(join(folder, "rules", file), rulesText(file, options.speed ?? 1));
  writeFileSync(join(folder, "prometheus.yml"), configuration(options));
  const port = await freePort();
  const child = await startMonitorProgram(
    program,
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      // An alert that fires before the Alertmanager is discovered would be sent a minute later.
      "--rules.alert.resend-delay=5s",
    ],
    port,
  );
  const { url } = child;
  const ask = async <T>(path: string): Promise<T> => {
    const answer = (await (await fetch(`${url}/api/v1/${path}`)).json()) as {
      status: string;
      data: T;
      error?: string;
    };
    if (answer.status !== "success") throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  return {
    url,
    query: async (expr) =>
      (
        await ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
          `query?query=${encodeURIComponent(expr)}`,
        )
      ).result,
    metricNames: () => ask<string[]>("label/__name__/values"),
    alerts: async () => (await ask<{ alerts: FiringAlert[] }>("alerts")).alerts,
    stop: () => child.stop(),
  };
}

function rulesText(file: string, speed: number): string {
  const groups = groupsOf(file).map(({ name, rules }) => ({
    name,
    rules: rules.map((rule) => ({
      ...rule,
      ...(rule.for === undefined ? {} : { for: sooner(rule.for, speed) }),
    })),
  }));
  return stringify({ groups });
}

function configuration({
  folder,
  targets,
  intervalS,
  alertmanagerPort,
}: PrometheusOptions): string {
  const file = readFileSync(join(MONITORING, "prometheus.yml"), "utf8");
  const { global } = parse(file) as { global: Record<string, string> };
  const every = intervalS === undefined ? {} : { scrape_interval: `${intervalS}s` };
  const scrape_configs = [...Map.groupBy(targets, ({ job }) => job)].map(([job_name, ofJob]) => {
    const { pathname, searchParams } = new URL(ofJob[0]?.url ?? "");
    return {
      job_name,
      metrics_path: pathname,
      params: { family: searchParams.getAll("family") },
      static_configs: [{ targets: ofJob.map(({ url }) => new URL(url).host) }],
    };
  });
  const alertmanagers = [{ static_configs: [{ targets: [`127.0.0.1:${alertmanagerPort}`] }] }];
  return stringify({
    global: {
      ...global,
      ...every,
      ...(intervalS === undefined ? {} : { evaluation_interval: `${intervalS}s` }),
      ...(intervalS === undefined || intervalS >= 10 ? {} : { scrape_timeout: `${intervalS}s` }),
    },
    rule_files: [join(folder, "rules", "*.yml")],
    ...(alertmanagerPort === undefined ? {} : { alerting: { alertmanagers } }),
    scrape_configs,
  });
}
