import type { Environment } from "../../../../config/index.ts";
import { IMPORT_BOUNDS, importCatalog, type ImportOptions, sizeName } from "./import-run.ts";
import { type Bound, type Measurement, median } from "../../harness/measurement.ts";
import { LOAD } from "../../harness/process-figures.ts";
import { openSale, type Sale, startBenchEngine } from "../../harness/sale.ts";
import { askHardCases, askMix } from "./search-asking.ts";

export type SearchOptions = ImportOptions & { events: readonly number[] };

export const SEARCH_SIZES = [1_000, 100_000, 1_000_000];
const STARTS = 3;
/** Additional start time compared with the smallest catalog. */
const START_MORE_MS = 1_000;
const MISS_MS = 50;

export const SEARCH_BOUNDS: readonly Bound[] = [
  ...IMPORT_BOUNDS,
  { of: /: start$/, figure: "more.ms more than with fewest", most: START_MORE_MS },
  { of: /: (mix, miss|case, .*)$/, figure: "times.p99", most: MISS_MS },
  { of: /: (mix, .*|case, .*)$/, figure: "errors", most: 0 },
  { of: /: (mix, miss|case, .*)$/, figure: "hits.postgres", least: 0.95 },
  { of: /: mix, redis$/, figure: "hits.redis", least: 0.9 },
  { of: /: mix, gateway$/, figure: "hits.gateway", least: 0.9 },
];

/**
 * Catalogs of growing size, imported by the command: time of the import, of an engine's start, and
 * of searches answered by PostgreSQL, Redis and the gateway, one at a time over HTTP.
 */
export async function search(
  environment: Environment,
  options: SearchOptions,
): Promise<Measurement[]> {
  const sale = openSale(environment, options.folder);
  try {
    const measured: Measurement[] = [];
    let fewestMs: number | undefined;
    for (const events of options.events) {
      const size = sizeName(events);
      measured.push(await importCatalog(sale, events, options));
      options.report(`${size}: starting an engine ${STARTS} times`);
      const startMs = await startTimes(sale);
      fewestMs ??= median(startMs);
      measured.push(startMeasurement(size, startMs, fewestMs));
      options.report(`${size}: searching`);
      measured.push(...(await searchAll(sale, size, options)));
    }
    return measured;
  } finally {
    await sale.database.close();
  }
}

async function startTimes(sale: Sale): Promise<number[]> {
  const times: number[] = [];
  while (times.length < STARTS) {
    const began = performance.now();
    const engine = await startBenchEngine(sale);
    times.push(performance.now() - began);
    await engine.stop();
  }
  return times;
}

function startMeasurement(size: string, startMs: readonly number[], fewestMs: number): Measurement {
  const ms = median(startMs);
  return {
    name: `${size}: start`,
    role: "ours",
    operation: "start",
    operations: startMs.length,
    seconds: ms / 1_000,
    perSecond: 1_000 / ms,
    errors: 0,
    cpuMs: {},
    peakMb: {},
    more: { "start ms": ms, "ms more than with fewest": ms - fewestMs },
  };
}

async function searchAll(sale: Sale, size: string, options: SearchOptions): Promise<Measurement[]> {
  const engine = await startBenchEngine(
    sale,
    "worker",
    options.profile ? options.folder : undefined,
  );
  try {
    const processes = { engine: engine.process.pid ?? 0, ...options.servers, ...LOAD };
    const asking = { size, engine, processes, database: sale.database };
    return [...(await askMix(asking)), ...(await askHardCases(asking))];
  } finally {
    await engine.stop();
  }
}
