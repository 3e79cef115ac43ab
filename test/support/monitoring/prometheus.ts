import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { freePort } from "../../../tools/dev-servers/ports.ts";
import { waitFor } from "../wait-for.ts";
import { MONITORING } from "./rules.ts";

type Target = { job: string; url: string };
export type FiringAlert = { labels: Record<string, string>; state: "pending" | "firing" };
export type Prometheus = {
  /** Evaluates an expression. Returns its values with their labels. */
  query(expr: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]>;
  metricNames(): Promise<string[]>;
  alerts(): Promise<FiringAlert[]>;
  stop(): Promise<void>;
};

/** Starts a real Prometheus with our rules. It scrapes every second, and alerts wait no longer. */
export async function startPrometheus(
  program: string,
  folder: string,
  targets: readonly Target[],
): Promise<Prometheus> {
  const rules = join(folder, "rules");
  cpSync(join(MONITORING, "rules"), rules, { recursive: true });
  const alerts = join(rules, "alerts.yml");
  writeFileSync(alerts, readFileSync(alerts, "utf8").replaceAll(/^( +)for: .*$/gm, "$1for: 1s"));
  mkdirSync(join(folder, "data"));
  const configuration = join(folder, "prometheus.yml");
  const scrape_configs = [...Map.groupBy(targets, ({ job }) => job)].map(([job_name, ofJob]) => {
    const { pathname, searchParams } = new URL(ofJob[0]?.url ?? "");
    const hosts = ofJob.map(({ url }) => new URL(url).host);
    return {
      job_name,
      metrics_path: pathname,
      params: { family: searchParams.getAll("family") },
      static_configs: [{ targets: hosts }],
    };
  });
  writeFileSync(
    configuration,
    stringify({
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: [join(rules, "*.yml")],
      scrape_configs,
    }),
  );
  const port = await freePort();
  const child = spawn(
    program,
    [
      `--config.file=${configuration}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let output = "";
  child.stderr
    .setEncoding("utf8")
    .on("data", (text: string) => (output = (output + text).slice(-2_000)));
  const stopWithUs = (): boolean => child.kill("SIGKILL");
  process.once("exit", stopWithUs);
  const base = `http://127.0.0.1:${port}`;
  const ready = async (): Promise<true | undefined> => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended: ${output}`);
    const answer = await fetch(`${base}/-/ready`).catch(() => undefined);
    return answer?.ok === true ? true : undefined;
  };
  await waitFor(ready, { withinMs: 30_000, what: "Prometheus is ready" });
  const ask = async <T>(path: string): Promise<T> => {
    const answer = (await (await fetch(`${base}/api/v1/${path}`)).json()) as {
      status: string;
      data: T;
      error?: string;
    };
    if (answer.status !== "success") throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  return {
    query: async (expr) => {
      const { result } = await ask<{
        result: { metric: Record<string, string>; value: [number, string] }[];
      }>(`query?query=${encodeURIComponent(expr)}`);
      return result;
    },
    metricNames: () => ask<string[]>("label/__name__/values"),
    alerts: async () => (await ask<{ alerts: FiringAlert[] }>("alerts")).alerts,
    async stop() {
      process.off("exit", stopWithUs);
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      if (child.exitCode === null) await ended;
    },
  };
}
