import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { readFaults } from "../../../tools/chaos/faults.ts";
import { reliabilityPage } from "../../../tools/chaos/report-page.ts";
import { runFaults } from "../../../tools/chaos/run-all.ts";
import { soakOf } from "../../../tools/chaos/soak.ts";
import { type ChaosReport, detailsOf, hasFailed, rowOf } from "../../../tools/chaos/table.ts";
import { ServerProblem } from "../../../tools/dev-servers/server-problem.ts";
import { currentRevision } from "../../../tools/documents/revision.ts";
import { runToExit } from "../../../tools/process/run-to-exit.ts";
import { ROOT } from "../../../tools/root.ts";
import { examples, exiting, wholeNumber } from "../../options.ts";
import { defineMutants } from "./chaos-mutants.ts";

type Options = {
  only: string[];
  seed?: number;
  json?: string;
  minutes: number;
  rate?: number;
  soak?: boolean;
  write?: boolean;
};

const startedMs = performance.now();
const report = (line: string): void => {
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0).padStart(4);
  console.log(`chaos ${seconds} s: ${line}`);
};

export function define(command: Command): void {
  command
    .description(
      "Plays faults one by one, under load, against a cluster of separate processes on servers of " +
        "its own, and compares what every customer saw with PostgreSQL. Exit code 1 where an " +
        "invariant is broken or a fault misses its bound.",
    )
    .option("--only <ids>", "these faults, as F1,F2", (text: string) => text.split(","), [])
    .option("--soak", "half the capacity for long, with a random fault every minute")
    .option("--minutes <count>", "length of the soak", wholeNumber(1, 600), 30)
    .option("--rate <count>", "requests a second of the soak", positive)
    .option("--seed <number>", "seed of the load (default: drawn)", wholeNumber(0, 1e12))
    .option("--json <file>", "write the results there (default: .data/chaos)")
    .option("--write", "write docs/reliability.md from the last run of all faults and last soak")
    .addHelpText(
      "after",
      examples(
        ["chaos --only F1,F7", "two faults"],
        ["chaos --soak --minutes 60", "an hour of random faults"],
        ["chaos mutants", "proves that the run can fail"],
      ),
    )
    .action(
      exiting((options: Options) =>
        runToExit(
          (abort) => runChaos(options, abort),
          (reason) => report(`stopping after this fault (${reason})`),
        ),
      ),
    );
  defineMutants(command.command("mutants"));
}

function positive(text: string): number {
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new InvalidArgumentError("Give a number above 0.");
}

async function runChaos(options: Options, abort: AbortSignal): Promise<number> {
  const { only, json, minutes, rate, soak = false, write = false } = options;
  const seed = options.seed ?? Date.now() % 1_000_000;
  const faults = soak ? [soakOf(minutes, rate)] : await readFaults(only);
  const startedAt = new Date().toISOString();
  const file = json ?? join(ROOT, ".data", "chaos", `${startedAt.replaceAll(/[:.]/g, "-")}.json`);
  for (const folder of [dirname(file), dirname(latest(false))])
    mkdirSync(folder, { recursive: true });
  report(`${faults.map(({ id }) => id).join(", ")} with seed ${seed}`);
  const results = await runFaults({
    faults,
    seed,
    report,
    nodesLog: file.replace(/(\.json)?$/, ".log"),
    abort,
  });

  const tookMinutes = Math.round((performance.now() - startedMs) / 6_000) / 10;
  const written: ChaosReport = {
    seed,
    began: startedAt,
    minutes: tookMinutes,
    machine: machine(),
    revision: currentRevision(),
    faults: results,
  };
  writeFileSync(file, `${JSON.stringify(written, undefined, 2)}\n`);
  if (only.length === 0 || soak) writeFileSync(latest(soak), JSON.stringify(written));
  if (write) writePage();
  console.table(
    Object.fromEntries(results.map(rowOf).map(({ fault = "", ...row }) => [fault, row])),
  );
  for (const line of results.flatMap(detailsOf)) console.log(line);
  const failed = results.filter(hasFailed);
  report(
    `${results.length - failed.length} of ${results.length} faults as promised, ` +
      `in ${tookMinutes} minutes; seed ${seed}; ${file}`,
  );
  return failed.length === 0 ? 0 : 1;
}

function latest(soak: boolean): string {
  return join(ROOT, ".data", "chaos", soak ? "latest-soak.json" : "latest.json");
}

function writePage(): void {
  if (!existsSync(latest(false)))
    throw new ServerProblem(
      "docs/reliability.md needs a run of all faults: npx boxoffice chaos --write",
    );
  const [matrix, soak] = [false, true].map((which) =>
    existsSync(latest(which))
      ? (JSON.parse(readFileSync(latest(which), "utf8")) as ChaosReport)
      : undefined,
  );
  if (matrix !== undefined)
    writeFileSync(join(ROOT, "docs", "reliability.md"), reliabilityPage(matrix, soak));
}

function machine(): string {
  const cores = `${cpus().length} cores (${cpus()[0]?.model.trim() ?? "unknown"})`;
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  return `${cores}, ${memory}, Node ${process.version}, ${process.platform}`;
}
