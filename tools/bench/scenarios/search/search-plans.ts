import { Client, type QueryResultRow } from "pg";
import type { EventRecord } from "../../../../domain/event-record.ts";
import { type Connection, openDatabase, type Statement } from "../../../../lib/database/pool.ts";
import { insertEvents } from "../../../../services/catalog/events/event-store.ts";
import { listFilters } from "../../../../services/catalog/search/filter-options.ts";
import type { Bound, Measurement } from "../../harness/measurement.ts";
import { plantedEvents, searchCases } from "./search-cases.ts";
import { deepCursor, explainSearch, type SearchPlan } from "./search-plan.ts";

export const PLANNED_EVENTS = 100_000;
const DAY_MS = 86_400_000;
const LISTS = "the lists to choose from";

export const SEARCH_PLAN_BOUNDS: readonly Bound[] = [
  { of: /^(?!the lists)/, figure: "times.max", most: 50 },
  // Read once a minute, by one reader for all.
  { of: LISTS, figure: "times.max", most: 500 },
  { of: /./, figure: "errors", most: 0 },
];

/**
 * Runs every search of the contract under EXPLAIN ANALYZE in an empty database. The time is the
 * median. A plan with a sequential scan counts as an error.
 */
export async function searchPlans(url: string, events: number): Promise<Measurement[]> {
  const nowMs = Date.now();
  const database = openDatabase(url, "long");
  try {
    await fill(url, events, nowMs);
    const measured: Measurement[] = [];
    const explain = async (search: string, params: object, atMs = nowMs): Promise<void> => {
      measured.push(
        planned(search, await explainSearch(database, { params, nowMs: atMs, repeat: 9 })),
      );
    };
    for (const [search, params] of Object.entries(searchCases(nowMs)))
      await explain(search, params);
    for (const share of [0.5, 0.95]) {
      const cursor = await deepCursor(database, share);
      await explain(`page behind ${share * 100} %`, { cursor });
      await explain(`absent name behind ${share * 100} %`, { cursor, name: "erencerence" });
      await explain(`concerts behind ${share * 100} %`, { cursor, type: "concert" });
    }
    await explain("no filter, nearly all over", {}, nowMs + 530 * DAY_MS);
    await explain("type, nearly all over", { type: "opera" }, nowMs + 530 * DAY_MS);
    return [...measured, statement(LISTS, await quickest(() => listFilters(database, nowMs)))];
  } finally {
    await database.close();
  }
}

function planned(search: string, { ms, rows, sequential, scans }: SearchPlan): Measurement {
  return {
    ...statement(search, ms),
    errors: sequential ? 1 : 0,
    more: { rows },
    note: `${sequential ? "the whole table, " : ""}${scans.join(", ")}`,
  };
}

function statement(name: string, ms: number): Measurement {
  const times = { count: 1, p50: ms, p95: ms, p99: ms, p999: ms, max: ms };
  return {
    name,
    role: "ours",
    operation: "search",
    operations: 1,
    seconds: ms / 1_000,
    perSecond: 1_000 / ms,
    times,
    errors: 0,
    cpuMs: {},
    peakMb: {},
  };
}

/** Creates the indexes afterwards, which is faster for a million events. */
async function fill(url: string, events: number, nowMs: number): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("SET statement_timeout = 0; SET lock_timeout = 0");
  const connection: Connection = {
    query: async <Row extends QueryResultRow>({ text, values }: Statement) =>
      (await client.query<Row>(text, values)).rows,
  };
  try {
    const { rows } = await client.query<{ name: string; definition: string }>(INDEXES);
    for (const { name } of rows) await client.query(`DROP INDEX ${name}`);
    let batch: EventRecord[] = [];
    for (const event of plantedEvents(events, nowMs)) {
      batch.push(event);
      if (batch.length < 1_000) continue;
      await insertEvents(connection, batch);
      batch = [];
    }
    await insertEvents(connection, batch);
    await client.query("SET maintenance_work_mem = '512MB'");
    for (const { definition } of rows) await client.query(definition);
    await client.query("VACUUM (ANALYZE) event");
  } finally {
    await client.end();
  }
}

/** Indexes of searches, without unique ones. */
const INDEXES = `
  SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
  WHERE indrelid = 'event'::regclass AND NOT indisunique`;

/** Repeats, because the first run also plans the statement and fills buffers. */
async function quickest(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < 9; count++) {
    const startedMs = performance.now();
    await work();
    times.push(performance.now() - startedMs);
  }
  return Math.min(...times);
}
