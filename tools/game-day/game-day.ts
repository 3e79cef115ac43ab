import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openWorld, type World, type WorldOptions } from "../chaos/test-bed.ts";
import { provideBinaries } from "../dev-servers/packages.ts";
import type { Report } from "../dev-servers/server-problem.ts";
import { copyTree, takeOut } from "../testing/mutated-copy.ts";
import { type Incident, PLANTED } from "./incidents.ts";
import { type IncidentResult, type Pace, playIncident, type Programs } from "./play-incident.ts";

export type GameDayOptions = {
  incidents: readonly Incident[];
  pace: Pace;
  report: Report;
  counts?: WorldOptions["counts"];
  /** File for the output of the nodes. */
  nodesLog?: string;
  abort?: AbortSignal;
};

/**
 * Plays incidents one by one on a cluster of its own, whose gateways run a copy of the code with a
 * planted fault. Installs Prometheus and Alertmanager where they are missing.
 */
export async function runGameDay(options: GameDayOptions): Promise<IncidentResult[]> {
  const { incidents, pace, report, counts, nodesLog, abort } = options;
  const { prometheus = "", alertmanager = "" } = await provideBinaries(
    ["prometheus", "alertmanager"],
    report,
  );
  const programs: Programs = { prometheus, alertmanager };
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-game-day-code-"));
  let world: World | undefined;
  const results: IncidentResult[] = [];
  try {
    copyTree(folder);
    takeOut(folder, PLANTED);
    world = await openWorld({
      report,
      throwaway: true,
      program: { api: join(folder, "cli", "program.ts") },
      ...(counts === undefined ? {} : { counts }),
      ...(nodesLog === undefined ? {} : { nodesLog }),
      ...(abort === undefined ? {} : { abort }),
    });
    for (const incident of incidents) {
      abort?.throwIfAborted();
      report(incident.title);
      const result = await playIncident(world, incident, programs, pace);
      results.push(result);
      report(summaryOf(result));
    }
    return results;
  } finally {
    await world?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function summaryOf({ page, pagedAfterS, problems }: IncidentResult): string {
  if (problems.length > 0) return `  NOT AS PROMISED: ${problems.join("; ")}`;
  return `  ${page} after ${pagedAfterS} s, and no other page`;
}

/** Row of one incident. */
export function rowOf(result: IncidentResult): Record<string, string> {
  const { id, page, pagedAfterS, wrong, tickets, answers } = result;
  const refused = Object.entries(answers).filter(([word]) => !/ (?:200|201)$/.test(word));
  return {
    incident: id,
    page,
    "paged after": pagedAfterS === undefined ? "never" : `${pagedAfterS} s`,
    "wrong pages": wrong.join(", ") || "none",
    tickets: tickets.join(", ") || "none",
    "customers saw": refused.map(([word, count]) => `${count} × ${word}`).join(", ") || "no error",
  };
}
