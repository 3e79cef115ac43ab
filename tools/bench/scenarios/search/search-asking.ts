import { setTimeout as wait } from "node:timers/promises";
import type { Database } from "../../../../lib/database/pool.ts";
import type { SearchParams } from "../../../../services/catalog/search/search-filters.ts";
import { asker } from "../../harness/arrivals.ts";
import { Times } from "../../harness/histogram.ts";
import type { Measurement } from "../../harness/measurement.ts";
import { type Processes, startMeter } from "../../harness/process-figures.ts";
import { pathOf, searchPaths } from "../../harness/questions.ts";
import type { BenchEngine, Layers } from "../../harness/sale.ts";
import { searchCases } from "./search-cases.ts";
import { deepCursor } from "./search-plan.ts";

export type Asking = {
  size: string;
  engine: BenchEngine;
  processes: Processes;
  database: Database;
};

const QUESTIONS = 1_000;
/** The number of page lengths, and enough for a 99th percentile. */
const OF_A_CASE = 100;
/** The gateway's cached responses are stale after this time. */
const GATEWAY_FORGETS_MS = 1_100;
const SAMPLE = 5_000;

/**
 * A thousand different searches: first time, after the gateway's cache has expired, and right
 * after.
 */
export async function askMix(asking: Asking): Promise<Measurement[]> {
  const events = await asking.database.query<{
    name: string;
    location: string;
    type: string;
    date: string;
  }>({
    text:
      "SELECT name, location, type, to_char(date, 'YYYY-MM-DD') AS date FROM event " +
      "ORDER BY id LIMIT $1",
    values: [SAMPLE],
  });
  const paths = searchPaths(events, Math.min(QUESTIONS, events.length));
  await warmUp(asking, paths);
  const miss = await askAll(asking, "mix, miss", paths);
  await wait(GATEWAY_FORGETS_MS);
  const redis = await askAll(asking, "mix, redis", paths);
  await wait(GATEWAY_FORGETS_MS);
  // Each is sent twice and the second is timed: Redis answers the first, the gateway the second.
  const gateway = await askAll(asking, "mix, gateway", paths, true);
  return [miss, redis, gateway];
}

/** Each hard case with pages of all lengths, so that none is cached; deep cursors too. */
export async function askHardCases(asking: Asking): Promise<Measurement[]> {
  const nowMs = Date.now();
  const cases: Record<string, SearchParams> = { ...searchCases(nowMs) };
  for (const share of [0.5, 0.95]) {
    const cursor = await deepCursor(asking.database, share);
    const behind = `behind ${100 * share} %`;
    Object.assign(cases, {
      [`page ${behind}`]: { cursor },
      [`one letter ${behind}`]: { cursor, name: "e" },
      [`absent, of frequent grams ${behind}`]: { cursor, name: "erencerence" },
      [`concerts ${behind}`]: { cursor, type: "concert" },
      [`a city ${behind}`]: { cursor, location: "London" },
      [`late name ${behind}`]: { cursor, name: "zugabe" },
    });
  }
  const measured: Measurement[] = [];
  for (const [name, params] of Object.entries(cases)) {
    const paths = Array.from({ length: OF_A_CASE }, (_, index) =>
      pathOf({ ...params, limit: 1 + index }),
    );
    measured.push(await askAll(asking, `case, ${name}`, paths));
  }
  return measured;
}

/** Compiles code and opens connections, with searches that are not repeated. */
async function warmUp({ engine }: Asking, paths: readonly string[]): Promise<void> {
  const client = asker(engine.url, 1);
  for (const path of paths.slice(0, 200))
    await client.ask({
      method: "GET",
      path: `${path}${path.includes("?") ? "&" : "?"}limit=99`,
      address: "192.0.2.1",
    });
  client.close();
}

/**
 * Sends one after the other on one connection. `twice`: once before, untimed, to fill the gateway's
 * cache.
 */
async function askAll(
  { size, engine, processes }: Asking,
  name: string,
  paths: readonly string[],
  twice = false,
): Promise<Measurement> {
  const client = asker(engine.url, 1);
  const times = new Times();
  let [errors, totalMs] = [0, 0];
  const before = await engine.layers();
  const meter = startMeter(processes);
  const ask = (path: string) => client.ask({ method: "GET", path, address: "192.0.2.1" });
  for (const path of paths) {
    if (twice) await ask(path);
    const { status, ms } = await ask(path);
    times.add(ms);
    totalMs += ms;
    if (status !== 200) errors += 1;
  }
  const figures = meter(paths.length);
  client.close();
  const hits = sharesOf(await engine.layers(), before, paths.length);
  return {
    name: `${size}: ${name}`,
    role: "ours",
    operation: "search",
    operations: paths.length,
    seconds: totalMs / 1_000,
    perSecond: (1_000 * paths.length) / totalMs,
    times: times.summary(),
    errors,
    ...figures,
    hits,
  };
}

function sharesOf(after: Layers, before: Layers, asked: number): Record<string, number> {
  return {
    gateway: (after.gateway.hits - before.gateway.hits) / asked,
    redis: (after.catalog.hits - before.catalog.hits) / asked,
    postgres: (after.catalog.misses - before.catalog.misses) / asked,
  };
}
