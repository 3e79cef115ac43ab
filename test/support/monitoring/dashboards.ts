import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parser } from "@prometheus-io/lezer-promql";
import { MONITORING } from "../../../tools/monitoring/rule-files.ts";

type Panel = {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: { expr: string; legendFormat: string }[];
};
export type Dashboard = {
  file: string;
  uid: string;
  title: string;
  panels: Panel[];
  rows: string[];
  templating: { list: { name: string; allValue: string; query: { query: string } }[] };
};

/** Reads the dashboards: panels with queries, and the titles of the rows. */
export function readDashboards(): Dashboard[] {
  const folder = join(MONITORING, "dashboards");
  return readdirSync(folder).map((file) => {
    const { panels, ...rest } = JSON.parse(readFileSync(join(folder, file), "utf8")) as Dashboard;
    return {
      ...rest,
      file,
      panels: panels.filter(({ type }) => type !== "row"),
      rows: panels.filter(({ type }) => type === "row").map(({ title }) => title),
    };
  });
}

/** A query as Grafana sends it while all values of each variable are chosen. */
export const chosenAll = (expr: string): string =>
  expr.replaceAll(/\$(?:role|instance|event)\b/g, ".*");

/** Returns the metrics that an expression reads, or the place where it cannot be parsed. */
export function metricsIn(expr: string): { names: string[]; broken: boolean } {
  const names: string[] = [];
  let broken = false;
  parser.parse(expr).iterate({
    enter: ({ type, from, to, node }) => {
      broken ||= type.isError;
      if (type.name === "Identifier" && node.parent?.type.name === "VectorSelector")
        names.push(expr.slice(from, to));
    },
  });
  return { names, broken };
}
