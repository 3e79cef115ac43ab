import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { readFaults } from "../../../tools/chaos/faults.ts";
import { reliabilityPage } from "../../../tools/chaos/report-page.ts";
import { runFaults } from "../../../tools/chaos/run-all.ts";
import type { FaultResult } from "../../../tools/chaos/run-fault.ts";
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
  from?: string;
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
    .option("--from <file>", "write the page from the results in a file, without a run")
    .addHelpText(
      "after",
      examples(
        ["chaos --only F1,F7", "two faults"],
        ["chaos --soak --minutes 60", "an hour of random faults"],
        ["chaos --from .data/chaos/latest.json", "writes the page again"],
        ["chaos mutants", "proves that the run can fail"],
      ),
    )
    .action(
      exiting((options: Options) =>
        options.from === undefined
          ? runToExit(
              (abort) => runChaos(options, abort),
              (reason) => report(`stopping after this fault (${reason})`),
            )
          : writePage(options.from),
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
  const revision = currentRevision();
  const file = json ?? join(ROOT, ".data", "chaos", `${startedAt.replaceAll(/[:.]/g, "-")}.json`);
  for (const folder of [dirname(file), dirname(latest(false))])
    mkdirSync(folder, { recursive: true });
  report(`${faults.map(({ id }) => id).join(", ")} with seed ${seed}`);
  // After each fault, so that an interrupted run keeps what it has shown.
  const record = (results: readonly FaultResult[], ...files: string[]): ChaosReport => {
    const written = {
      seed,
      began: startedAt,
      minutes: Math.round((performance.now() - startedMs) / 6_000) / 10,
      machine: machine(),
      revision,
      faults: [...results],
    };
    for (const one of files) writeFileSync(one, `${JSON.stringify(written, undefined, 2)}\n`);
    return written;
  };
  const results = await runFaults({
    faults,
    seed,
    report,
    nodesLog: file.replace(/(\.json)?$/, ".log"),
    abort,
    onResult: (soFar) => record(soFar, file),
  });
  const { minutes: took } = record(results, ...(only.length === 0 || soak ? [latest(soak)] : []));
  if (write) writePage(latest(false));
  console.table(
    Object.fromEntries(results.map(rowOf).map(({ fault = "", ...row }) => [fault, row])),
  );
  for (const line of results.flatMap(detailsOf)) console.log(line);
  const failed = results.filter(hasFailed);
  report(
    `${results.length - failed.length} of ${results.length} faults as promised, ` +
      `in ${took} minutes; seed ${seed}; ${file}`,
  );
  return failed.length === 0 ? 0 : 1;
}

function latest(soak: boolean): string {
  return join(ROOT, ".data", "chaos", soak ? "latest-soak.json" : "latest.json");
}

/** Writes docs/reliability.md from a run of all faults in a file, and from the last soak. */
function writePage(from: string): number {
  if (!existsSync(from))
    throw new ServerProblem(
      `There is no ${from}. A run of all faults writes it: npx boxoffice chaos --write`,
    );
  const [matrix, soak] = [from, latest(true)].map((file) =>
    existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as ChaosReport) : undefined,
  );
  if (matrix !== undefined)
    writeFileSync(join(ROOT, "docs", "reliability.md"), reliabilityPage(matrix, soak));
  return 0;
}

function machine(): string {
  const cores = `${cpus().length} cores (${cpus()[0]?.model.trim() ?? "unknown"})`;
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  return `${cores}, ${memory}, Node ${process.version}, ${process.platform}`;
}
