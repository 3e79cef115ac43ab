import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../root.ts";
import type { BenchArguments } from "../arguments.ts";
import { provideWrk } from "../harness/load.ts";
import { figureOf, type Measurement, median } from "../harness/measurement.ts";
import type { Results } from "./results.ts";

/** A figure of this revision divided by the earlier one's, in each pair of runs. */
export type Ratio = { name: string; figure: string; better: "more" | "less"; ratios: number[] };

/** What is compared where both have it. */
const FIGURES: Readonly<Record<string, Ratio["better"]>> = {
  perSecond: "more",
  "times.p50": "less",
  "times.p99": "less",
  "cpuMs.engine": "less",
  "cpuMs.postgres": "less",
  "peakMb.engine": "less",
};
/** The figures in which a revision may be found worse. Times of a machine that others use too say little alone. */
const GUARDED = ["perSecond", "cpuMs.engine"];
/** Worse by this much in every single pair is no chance. */
const WORSE = 1.1;

/**
 * Runs an earlier revision and this one in turn, in pairs whose order alternates, so that what else the machine does meets both; prints the ratios with
 * their spread. Both are measured by this revision's bench/, since a yardstick that changes says nothing. Answers what this one does worse.
 */
export async function compareRevisions(
  revision: string,
  wanted: BenchArguments,
  report: (line: string) => void,
): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-against-"));
  const there = join(folder, "tree");
  try {
    await provideWrk(report);
    checkOut(revision, there, report);
    const pairs: { here: Measurement[]; there: Measurement[] }[] = [];
    while (pairs.length < wanted.runs) {
      const measured = new Map<string, Measurement[]>();
      for (const tree of pairs.length % 2 === 0 ? [there, ROOT] : [ROOT, there]) {
        report(
          `pair ${pairs.length + 1} of ${wanted.runs}: ${tree === ROOT ? "this revision" : revision}`,
        );
        measured.set(tree, await runIn(tree, join(folder, "results.json"), wanted));
      }
      pairs.push({ here: measured.get(ROOT) ?? [], there: measured.get(there) ?? [] });
    }
    const ratios = ratiosOf(pairs);
    printRatios(ratios, revision);
    return worseIn(ratios);
  } finally {
    // Where it was never made there is nothing to be said about it.
    spawnSync("git", ["worktree", "remove", "--force", there], { cwd: ROOT });
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A tree of that revision, with this one's tools/bench/ and with packages: this one's where the lock file is the same, else installed. */
function checkOut(revision: string, tree: string, report: (line: string) => void): void {
  execFileSync("git", ["worktree", "add", "--detach", tree, revision], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const lock = (root: string): string => readFileSync(join(root, "package-lock.json"), "utf8");
  if (lock(tree) === lock(ROOT))
    symlinkSync(join(ROOT, "node_modules"), join(tree, "node_modules"));
  else {
    report("its packages differ: installing them");
    execFileSync(process.execPath, [join("cli", "boxoffice.mjs"), "--help"], {
      cwd: tree,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  rmSync(join(tree, "tools", "bench"), { recursive: true });
  cpSync(join(ROOT, "tools", "bench"), join(tree, "tools", "bench"), { recursive: true });
}

/** Its faults do not count here: what a run falls short of, the ratios show. */
async function runIn(tree: string, out: string, wanted: BenchArguments): Promise<Measurement[]> {
  const single: BenchArguments = { ...wanted, runs: 1, against: undefined, profile: false, out };
  rmSync(out, { force: true });
  const program = join("tools", "bench", "bench-in-tree.ts");
  const run = spawn(process.execPath, [program, JSON.stringify(single)], {
    cwd: tree,
    stdio: ["ignore", "ignore", "inherit"],
  });
  await once(run, "exit");
  if (!existsSync(out)) throw new Error(`${tree} could not be measured`);
  return (JSON.parse(readFileSync(out, "utf8")) as Results).measurements;
}

export function ratiosOf(
  pairs: readonly { here: readonly Measurement[]; there: readonly Measurement[] }[],
): Ratio[] {
  const names = (pairs[0]?.here ?? []).map(({ name }) => name);
  return names.flatMap((name) =>
    Object.entries(FIGURES).flatMap(([figure, better]): Ratio[] => {
      const ratios = pairs.flatMap(({ here, there }) => {
        const [ours, theirs] = [here, there].map((list) => list.find((one) => one.name === name));
        const [mine, other] = [ours && figureOf(ours, figure), theirs && figureOf(theirs, figure)];
        return mine === undefined || other === undefined || other === 0 ? [] : [mine / other];
      });
      return ratios.length === pairs.length ? [{ name, figure, better, ratios }] : [];
    }),
  );
}

/** What is worse by a tenth in every pair, in words. */
export function worseIn(ratios: readonly Ratio[]): string[] {
  return ratios
    .filter(({ figure }) => GUARDED.includes(figure))
    .filter(({ better, ratios: all }) =>
      all.every((ratio) => (better === "more" ? 1 / ratio : ratio) > WORSE),
    )
    .map(
      ({ name, figure, ratios: all }) =>
        `${name}: ${figure} is ${median(all).toFixed(2)} times what it was, and worse in every pair`,
    );
}

function printRatios(ratios: readonly Ratio[], revision: string): void {
  const text = (all: readonly number[]): string =>
    `${median(all).toFixed(2)} (${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)})`;
  const rows: Record<string, Record<string, string>> = {};
  for (const { name, figure, ratios: all } of ratios)
    rows[name] = { ...rows[name], [figure]: text(all) };
  console.table(rows);
  console.log(
    `this revision ÷ ${revision}: the median of ${ratios[0]?.ratios.length ?? 0} pairs, and the least and the most`,
  );
}
