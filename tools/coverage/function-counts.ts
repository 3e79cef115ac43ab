import { type Profiler, Session } from "node:inspector";
import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "../root.ts";

/** Runs of each function, by `FILE\tNAME\tOFFSET`. */
export type FunctionCounts = ReadonlyMap<string, number>;

export type FunctionCounter = {
  /** Returns the runs since the last call and sets all counts to zero. */
  take(): FunctionCounts;
  stop(): void;
};

/** The engine's own code: packages, tools and tests do not count. */
const ENGINE_CODE = /^(?:(?:domain|lib|mixins|services|config)\/.+|main|moleculer\.config)\.ts$/;

/** Counts runs of the engine's functions in this process with V8's precise coverage. */
export function startFunctionCounter(): FunctionCounter {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
  return {
    take() {
      let scripts: Profiler.ScriptCoverage[] = [];
      // A session of the same thread calls back before post() returns.
      session.post("Profiler.takePreciseCoverage", (error, coverage) => {
        if (error !== null) throw new Error("V8 gave no coverage", { cause: error });
        scripts = coverage.result;
      });
      return new Map(scripts.flatMap(countsOf));
    },
    stop() {
      session.post("Profiler.stopPreciseCoverage");
      session.disconnect();
    },
  };
}

function countsOf({ url, functions }: Profiler.ScriptCoverage): [string, number][] {
  if (!url.startsWith("file:")) return [];
  const file = relative(ROOT, fileURLToPath(url)).split(sep).join("/");
  if (!ENGINE_CODE.test(file)) return [];
  return functions.flatMap(({ functionName, ranges: [range] }): [string, number][] =>
    range === undefined || range.count === 0
      ? []
      : [[`${file}\t${functionName}\t${range.startOffset}`, range.count]],
  );
}

/**
 * Returns the functions that a request runs. A function counts if it ran in every sample and
 * more often, by the median, than in an idle interval of the same length.
 */
export function functionsOfRequest(
  samples: readonly FunctionCounts[],
  idle: readonly FunctionCounts[],
): string[] {
  const [first = new Map<string, number>()] = samples;
  return [...first.keys()]
    .filter((name) => samples.every((sample) => sample.has(name)))
    .filter((name) => medianOf(samples, name) > medianOf(idle, name))
    .sort();
}

function medianOf(samples: readonly FunctionCounts[], name: string): number {
  const counts = samples.map((sample) => sample.get(name) ?? 0).sort((one, other) => one - other);
  return counts[Math.floor(counts.length / 2)] ?? 0;
}
