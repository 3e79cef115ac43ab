import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../root.ts";
import { closeTree, openTree } from "../../testing/revision-tree.ts";
import type { BenchArguments } from "../arguments.ts";
import { provideWrk } from "../harness/load.ts";
import { figureOf, type Measurement, median } from "../harness/measurement.ts";
import type { Results } from "./results.ts";

/** A figure of this revision divided by that of the earlier one, for each pair of runs. */
export type Ratio = { name: string; figure: string; better: "more" | "less"; ratios: number[] };

/** The measurements of both revisions in one pair of runs. */
export type Pair = { current: readonly Measurement[]; earlier: readonly Measurement[] };

/** Figures that are compared if both revisions have them. */
const FIGURES: Readonly<Record<string, Ratio["better"]>> = {
  perSecond: "more",
  "times.p50": "less",
  "times.p99": "less",
  "cpuMs.engine": "less",
  "cpuMs.postgres": "less",
  "peakMb.engine": "less",
};
/** Figures that can fail a comparison. Times alone depend too much on other load. */
const GUARDED = ["perSecond", "cpuMs.engine"];
/** A figure that is worse by this factor in every pair is no coincidence. */
const WORSE = 1.1;

/** The program of this layout, which takes its arguments as JSON. */
const PROGRAM = join("tools", "bench", "bench-in-tree.ts");
/** Programs of older layouts, which take the options of the command line. */
const OLDER_PROGRAMS = [join("tools", "bench", "bench.ts"), join("bench", "bench.ts")];

/**
 * Compares an earlier revision with this one. Runs pairs in alternating order, so that other load
 * on the machine affects both; prints the ratios. Returns a line for each figure that is worse.
 */
export async function compareRevisions(
  revision: string,
  wanted: BenchArguments,
  report: (line: string) => void,
  abort: AbortSignal,
): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-against-"));
  const earlierTree = join(folder, "tree");
  const measureTree = (tree: string) => runIn(tree, join(folder, "results.json"), wanted, abort);
  try {
    await provideWrk(report);
    checkOut(revision, earlierTree, report);
    const pairs: Pair[] = [];
    while (pairs.length < wanted.runs) {
      const earlierFirst = pairs.length % 2 === 0;
      report(
        `pair ${pairs.length + 1} of ${wanted.runs}, ${earlierFirst ? revision : "current"} first`,
      );
      const first = await measureTree(earlierFirst ? earlierTree : ROOT);
      const second = await measureTree(earlierFirst ? ROOT : earlierTree);
      pairs.push(
        earlierFirst ? { earlier: first, current: second } : { earlier: second, current: first },
      );
    }
    const ratios = ratiosOf(pairs);
    printRatios(ratios, revision);
    return worseIn(ratios);
  } finally {
    closeTree(earlierTree);
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Checks the revision out. A tree of this layout gets this tree's tools/bench, so that both are
 * measured alike. An older one is measured by its own program.
 */
function checkOut(revision: string, tree: string, report: (line: string) => void): void {
  openTree(revision, tree, report);
  if (!existsSync(join(tree, PROGRAM))) {
    report("its layout is older: it is measured by its own program");
    return;
  }
  rmSync(join(tree, "tools", "bench"), { recursive: true });
  cpSync(join(ROOT, "tools", "bench"), join(tree, "tools", "bench"), { recursive: true });
}

/** Measures one tree. Missed bounds do not count; the ratios show them. */
async function runIn(
  tree: string,
  out: string,
  wanted: BenchArguments,
  abort: AbortSignal,
): Promise<Measurement[]> {
  abort.throwIfAborted();
  const single: BenchArguments = { ...wanted, runs: 1, against: undefined, profile: false, out };
  const command = existsSync(join(tree, PROGRAM))
    ? [PROGRAM, JSON.stringify(single)]
    : [OLDER_PROGRAMS.find((file) => existsSync(join(tree, file))) ?? "", ...optionsOf(single)];
  rmSync(out, { force: true });
  const run = spawn(process.execPath, command, {
    cwd: tree,
    stdio: ["ignore", "ignore", "inherit"],
  });
  // The run stops its servers and removes their files before it ends.
  const stop = (): unknown => run.kill("SIGTERM");
  abort.addEventListener("abort", stop);
  await once(run, "exit");
  abort.removeEventListener("abort", stop);
  abort.throwIfAborted();
  if (!existsSync(out)) throw new Error(`${tree} could not be measured`);
  return (JSON.parse(readFileSync(out, "utf8")) as Results).measurements;
}

function optionsOf({ scenario, contenders, events, out, ...rest }: BenchArguments): string[] {
  const { seconds, buyers, looking, watching } = rest;
  const numbers = Object.entries({ seconds, buyers, looking, watching });
  return [
    scenario,
    ...numbers.flatMap(([name, value]) => [`--${name}`, String(value)]),
    ...["--only", contenders.join(","), "--out", out ?? ""],
    ...(events === undefined ? [] : ["--events", events.join(",")]),
  ];
}

export function ratiosOf(pairs: readonly Pair[]): Ratio[] {
  const names = (pairs[0]?.current ?? []).map(({ name }) => name);
  return names.flatMap((name) =>
    Object.entries(FIGURES).flatMap(([figure, better]): Ratio[] => {
      const ratios = pairs.flatMap(({ current, earlier }) => {
        const [after, before] = [current, earlier].map((measurements) => {
          const measurement = measurements.find((one) => one.name === name);
          return measurement && figureOf(measurement, figure);
        });
        return after === undefined || before === undefined || before === 0 ? [] : [after / before];
      });
      return ratios.length === pairs.length ? [{ name, figure, better, ratios }] : [];
    }),
  );
}

/** Returns a line for each guarded figure that is worse by a tenth in every pair. */
export function worseIn(ratios: readonly Ratio[]): string[] {
  return ratios
    .filter(({ figure }) => GUARDED.includes(figure))
    .filter(({ better, ratios: all }) =>
      all.every((ratio) => (better === "more" ? 1 / ratio : ratio) > WORSE),
    )
    .map(({ name, figure, ratios: all }) => {
      const factor = median(all).toFixed(2);
      return `${name}: ${figure} is ${factor} times the earlier one, and worse in every pair`;
    });
}

function printRatios(ratios: readonly Ratio[], revision: string): void {
  const text = (all: readonly number[]): string =>
    `${median(all).toFixed(2)} (${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)})`;
  const rows: Record<string, Record<string, string>> = {};
  for (const { name, figure, ratios: all } of ratios)
    rows[name] = { ...rows[name], [figure]: text(all) };
  console.table(rows);
  const pairs = ratios[0]?.ratios.length ?? 0;
  console.log(`this revision ÷ ${revision}: median of ${pairs} pairs (least to most)`);
}
