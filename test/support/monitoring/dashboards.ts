import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parser } from "@prometheus-io/lezer-promql";
import { MONITORING } from "./rules.ts";

type Panel = {
  id: number;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: { expr: string; legendFormat: string }[];
};
export type Dashboard = { file: string; uid: string; title: string; panels: Panel[] };

export function readDashboards(): Dashboard[] {
  const folder = join(MONITORING, "dashboards");
  return readdirSync(folder).map((file) => ({
    ...(JSON.parse(readFileSync(join(folder, file), "utf8")) as Dashboard),
    file,
  }));
}

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
