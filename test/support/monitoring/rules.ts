import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse, stringify } from "yaml";
import { provideProgram } from "../processes/programs.ts";
import { ROOT } from "../../../tools/root.ts";

export const MONITORING = join(ROOT, "kubernetes", "monitoring");

export type Rule = {
  alert?: string;
  record?: string;
  expr: string;
  labels?: Record<string, string>;
  annotations?: { summary: string; runbook: string };
};

export const rulesOf = (file: string): Rule[] =>
  (
    parse(readFileSync(join(MONITORING, "rules", file), "utf8")) as { groups: { rules: Rule[] }[] }
  ).groups.flatMap(({ rules }) => rules);

/** Installs Prometheus and promtool like the project's servers. Returns the reason if it cannot. */
export async function providePrometheus(): Promise<
  { prometheus: string; promtool: string } | string
> {
  const found = await provideProgram("prometheus");
  if (typeof found === "string") return found;
  const { prometheus = "", promtool = "" } = found;
  return { prometheus, promtool };
}

/**
 * Figures in promtool's notation, a minute apart. At their end the alert fires, with the given
 * labels beside the rule's own. With the other figures it does not fire.
 */
export type AlertCase = {
  alert: string;
  atMinutes: number;
  series: Record<string, string>;
  labels?: Record<string, string>;
  quiet: Record<string, string>;
};

/**
 * Longer cases are evaluated every four minutes, since each evaluation runs all rules. Prometheus
 * keeps a recorded figure for five minutes.
 */
const LONG_MINUTES = 60;

/** Writes promtool's test files: each case where its alert fires, and where it does not. */
export function writeAlertTests(
  folder: string,
  rules: readonly Rule[],
  cases: readonly AlertCase[],
): string[] {
  const input = (series: Record<string, string>) =>
    Object.entries(series).map(([name, values]) => ({ series: name, values }));
  const write = (
    name: string,
    evaluation_interval: string,
    chosen: readonly AlertCase[],
  ): string[] => {
    const tests = chosen.flatMap(({ alert, atMinutes, series, labels = {}, quiet }) => {
      const rule = rules.find((one) => one.alert === alert);
      const fires = {
        exp_labels: { ...rule?.labels, ...labels },
        exp_annotations: rule?.annotations,
      };
      const test = (title: string, figures: Record<string, string>, exp_alerts: object[]) => ({
        name: `${alert} ${title}`,
        interval: "1m",
        input_series: input(figures),
        alert_rule_test: [{ eval_time: `${atMinutes}m`, alertname: alert, exp_alerts }],
      });
      return [test("fires", series, [fires]), test("is quiet", quiet, [])];
    });
    if (tests.length === 0) return [];
    const file = join(folder, name);
    writeFileSync(
      file,
      stringify({ rule_files: ["recording.yml", "alerts.yml"], evaluation_interval, tests }),
    );
    return [file];
  };
  const isLong = ({ atMinutes }: AlertCase): boolean => atMinutes > LONG_MINUTES;
  return [
    ...write(
      "short.tests.yml",
      "1m",
      cases.filter((one) => !isLong(one)),
    ),
    ...write("long.tests.yml", "4m", cases.filter(isLong)),
  ];
}

/** Runs promtool. Returns its output and whether it succeeded. */
export async function promtool(
  program: string,
  ...args: string[]
): Promise<{ ok: boolean; output: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args);
    return { ok: true, output: stdout + stderr };
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    return { ok: false, output: stdout + stderr };
  }
}
