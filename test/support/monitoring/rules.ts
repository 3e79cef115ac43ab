import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { type Rule, rulesOf } from "../../../tools/monitoring/rule-files.ts";
import { provideProgram } from "../processes/programs.ts";

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
  quiet?: Record<string, string>;
};

/** Longer cases are evaluated every four minutes. Prometheus keeps a figure for five. */
const LONG_MINUTES = 60;

/** All rules without their texts, which another test judges. */
export function bareRules(change: (rule: Rule) => Rule = (rule) => rule): readonly Rule[] {
  return rulesOf().map((rule) => {
    const members = Object.entries(change(rule)).filter(([member]) => member !== "annotations");
    return Object.fromEntries(members) as Rule;
  });
}

/**
 * Writes promtool's test files: each case where its alert fires, and where it does not. Each file
 * evaluates one alert and the recorded figures, since promtool evaluates all rules of a file.
 */
export function writeAlertTests(
  folder: string,
  rules: readonly Rule[],
  cases: readonly AlertCase[],
): string[] {
  const input = (series: Record<string, string>) =>
    Object.entries(series).map(([name, values]) => ({ series: name, values }));
  return [...Map.groupBy(cases, ({ alert }) => alert)].map(([alert, ofAlert]) => {
    const rule = rules.find((one) => one.alert === alert);
    const used = rules.filter((one) => one.record !== undefined || one === rule);
    writeFileSync(
      join(folder, `${alert}.yml`),
      stringify({ groups: [{ name: alert, rules: used }] }),
    );
    const tests = ofAlert.flatMap(({ atMinutes, series, labels = {}, quiet }) => {
      const test = (title: string, figures: Record<string, string>, exp_alerts: object[]) => ({
        name: `${alert} ${title}`,
        interval: "1m",
        input_series: input(figures),
        alert_rule_test: [{ eval_time: `${atMinutes}m`, alertname: alert, exp_alerts }],
      });
      return [
        test("fires", series, [{ exp_labels: { ...rule?.labels, ...labels } }]),
        ...(quiet === undefined ? [] : [test("is quiet", quiet, [])]),
      ];
    });
    const evaluation_interval = ofAlert.some(isLong) ? "4m" : "1m";
    const file = join(folder, `${alert}.tests.yml`);
    writeFileSync(file, stringify({ rule_files: [`${alert}.yml`], evaluation_interval, tests }));
    return file;
  });
}

const isLong = ({ atMinutes }: AlertCase): boolean => atMinutes > LONG_MINUTES;

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
