import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { ServerProblem } from "../../../tools/dev-servers/server-problem.ts";
import { rowOf, runGameDay } from "../../../tools/game-day/game-day.ts";
import { INCIDENTS } from "../../../tools/game-day/incidents.ts";
import { runToExit } from "../../../tools/process/run-to-exit.ts";
import { ROOT } from "../../../tools/root.ts";
import { examples, exiting, wholeNumber } from "../../options.ts";

type Options = { only: string[]; interval?: number; json?: string };

const startedMs = performance.now();
const report = (line: string): void => {
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0).padStart(4);
  console.log(`game day ${seconds} s: ${line}`);
};

const WATCH_S = { before: 8, after: 8, recovery: 8 };

export function define(command: Command): void {
  command
    .description(
      "Plays incidents one by one against a cluster on servers of its own, with a real Prometheus " +
        "and Alertmanager, the project's rules and routes. Each must page the right alert within " +
        "two minutes, and no other. Exit code 1 where one does not.",
    )
    .option("--only <ids>", "these, as redis-down,nats-down", (text: string) => text.split(","), [])
    .option(
      "--interval <seconds>",
      "between scrapes and evaluations (default: production's)",
      wholeNumber(1, 60),
    )
    .option("--json <file>", "write the results there (default: .data/game-day.json)")
    .addHelpText(
      "after",
      `\nIncidents:\n${INCIDENTS.map(({ id, title }) => `  ${id}: ${title}`).join("\n")}\n` +
        examples(["game-day --only redis-down --interval 5", "one incident, quickly"]),
    )
    .action(exiting((options: Options) => runToExit((abort) => play(options, abort))));
}

async function play({ only, interval, json }: Options, abort: AbortSignal): Promise<number> {
  const unknown = only.filter((id) => !INCIDENTS.some((incident) => incident.id === id));
  if (unknown.length > 0) throw new ServerProblem(`There is no incident ${unknown.join(", ")}.`);
  const incidents = INCIDENTS.filter(({ id }) => only.length === 0 || only.includes(id));
  const file = json ?? join(ROOT, ".data", "game-day.json");
  mkdirSync(dirname(file), { recursive: true });
  const results = await runGameDay({
    incidents,
    pace: { intervalS: interval, watchS: WATCH_S },
    report,
    nodesLog: file.replace(/(\.json)?$/, ".log"),
    abort,
  });
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`);
  console.table(
    Object.fromEntries(results.map(rowOf).map(({ incident = "", ...row }) => [incident, row])),
  );
  const failed = results.filter(({ problems }) => problems.length > 0);
  report(`${results.length - failed.length} of ${results.length} incidents as promised; ${file}`);
  return failed.length === 0 ? 0 : 1;
}
