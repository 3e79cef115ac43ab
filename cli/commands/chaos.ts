import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { readFaults } from "../../tools/chaos/faults.ts";
import { reliabilityPage } from "../../tools/chaos/report-page.ts";
import { runFaults } from "../../tools/chaos/run-all.ts";
import { soakOf } from "../../tools/chaos/soak.ts";
import { type ChaosReport, detailsOf, hasFailed, rowOf } from "../../tools/chaos/table.ts";
import { currentRevision } from "../../tools/documents/revision.ts";
import { watchAncestors } from "../../tools/process/watch-parent.ts";
import { ServerProblem } from "../../tools/dev-servers/server-problem.ts";
import { ROOT } from "../../tools/testing/static-checks.ts";

const USAGE = `npm run chaos [-- --only F1,F2 | --soak --minutes 30 --rate N] [--seed N] [--json FILE] [--write]
Runs faults one by one, under load, against a cluster of separate processes on servers of its own; compares what every customer saw with what
PostgreSQL has. Exit code 1 where an invariant is broken or a fault's own bound is missed. --soak: half the capacity (or
--rate requests a second) for so many minutes, with a random fault every minute. --write: docs/reliability.md from the last run of all faults and the last soak.`;

const began = performance.now();
const report = (line: string): void =>
  console.log(`chaos ${((performance.now() - began) / 1_000).toFixed(0).padStart(4)} s: ${line}`);
const abort = new AbortController();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", default: "" },
      seed: { type: "string" },
      json: { type: "string" },
      minutes: { type: "string", default: "30" },
      rate: { type: "string" },
      soak: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      help: { type: "boolean" },
    },
  });
  const minutesOfSoak = Number(values.minutes);
  const rate = values.rate === undefined ? undefined : Number(values.rate);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  if (
    values.help ||
    !Number.isSafeInteger(seed) ||
    seed < 0 ||
    !(minutesOfSoak >= 1 && minutesOfSoak <= 600) ||
    !(rate === undefined || rate > 0)
  ) {
    console.error(USAGE);
    return values.help ? 0 : 1;
  }
  const faults = values.soak
    ? [soakOf(minutesOfSoak, rate)]
    : await readFaults(values.only.split(",").filter(Boolean));
  const startedAt = new Date().toISOString();
  const file =
    values.json ?? join(ROOT, ".data", "chaos", `${startedAt.replaceAll(/[:.]/g, "-")}.json`);
  for (const folder of [dirname(file), dirname(latest(false))])
    mkdirSync(folder, { recursive: true });
  report(`${faults.map(({ id }) => id).join(", ")} with seed ${seed}`);
  const results = await runFaults({
    faults,
    seed,
    report,
    nodesLog: file.replace(/(\.json)?$/, ".log"),
    abort: abort.signal,
  });

  const minutes = Math.round((performance.now() - began) / 6_000) / 10;
  const written: ChaosReport = {
    seed,
    began: startedAt,
    minutes,
    machine: machine(),
    revision: currentRevision(),
    faults: results,
  };
  writeFileSync(file, `${JSON.stringify(written, undefined, 2)}\n`);
  if (values.only === "") writeFileSync(latest(values.soak), JSON.stringify(written));
  if (values.write) writePage();
  console.table(
    Object.fromEntries(results.map(rowOf).map(({ fault = "", ...row }) => [fault, row])),
  );
  for (const line of results.flatMap(detailsOf)) console.log(line);
  const failed = results.filter(hasFailed);
  report(
    `${results.length - failed.length} of ${results.length} faults as promised, in ${minutes} minutes; seed ${seed}; ${file}`,
  );
  return failed.length === 0 ? 0 : 1;
}

function latest(soak: boolean): string {
  return join(ROOT, ".data", "chaos", soak ? "latest-soak.json" : "latest.json");
}

function writePage(): void {
  if (!existsSync(latest(false)))
    throw new ServerProblem(
      "docs/reliability.md needs a run of all faults: npm run chaos -- --write",
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
  return `${cpus().length} cores (${cpus()[0]?.model.trim() ?? "unknown"}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}, ${process.platform}`;
}

function stop(why: string): void {
  if (abort.signal.aborted) return;
  report(`stopping after this fault (${why})`);
  abort.abort(new Error(why));
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => stop(signal));
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
watchAncestors(stop);

main().then(
  (code) => process.exit(abort.signal.aborted ? 130 : code),
  (error: unknown) => {
    if (!abort.signal.aborted)
      console.error(error instanceof ServerProblem ? error.message : error);
    process.exit(abort.signal.aborted ? 130 : 1);
  },
);
