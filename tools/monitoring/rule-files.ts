import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ROOT } from "../root.ts";

export const MONITORING = join(ROOT, "kubernetes", "monitoring");
const RULES = join(MONITORING, "rules");

export type Rule = {
  alert?: string;
  record?: string;
  expr: string;
  for?: string;
  keep_firing_for?: string;
  labels?: Record<string, string>;
  annotations?: { summary?: string; description?: string; runbook_url?: string };
};
const UNITS = { s: 1, m: 60, h: 3_600 } as const;

/** A Prometheus duration (30s, 2m, 26h) divided, one second at least. */
export function sooner(duration: string, speed: number): string {
  const [, count = "", unit = ""] = /^(\d+)([smh])$/.exec(duration) ?? [];
  const seconds = Number(count) * UNITS[unit as keyof typeof UNITS];
  if (!(seconds >= 0)) throw new Error(`${duration} is no duration`);
  return `${Math.max(1, Math.round(seconds / speed))}s`;
}

export type RuleGroup = { name: string; rules: Rule[] };

/** `cluster.yml`: alerts of what only a cluster has. */
export const CLUSTER_RULES = "cluster.yml";

export const ruleFiles = (): string[] => readdirSync(RULES).sort();

export function groupsOf(file: string): RuleGroup[] {
  return (parse(readFileSync(join(RULES, file), "utf8")) as { groups: RuleGroup[] }).groups;
}

/** The rules of a file, or of all files. */
export function rulesOf(...files: readonly string[]): Rule[] {
  const chosen = files.length === 0 ? ruleFiles() : files;
  return chosen.flatMap(groupsOf).flatMap(({ rules }) => rules);
}
