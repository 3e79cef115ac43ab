import { openDatabase } from "../mixins/database.ts";
import { insertEvents } from "../services/catalog/event-rows.ts";
import { listFilters } from "../services/catalog/filters.ts";
import { gramShares } from "../services/catalog/gram-shares.ts";
import type { Outcome } from "./outcome.ts";
import { plantedEvents, searchCases } from "./search-cases.ts";
import { deepCursor, explainSearch, type SearchPlan } from "./search-plan.ts";

const COUNT = 100_000;
const LIMIT_MS = 50;
const DAY_MS = 86_400_000;

/**
 * Every search of the contract on 100,000 events, under EXPLAIN ANALYZE, in the (empty) database of `url`. Prints a table; a fault is a plan that reads
 * the whole table or takes longer than 50 ms.
 */
export async function searchPlans(url: string): Promise<Outcome> {
  const nowMs = Date.now();
  const database = openDatabase(url, "long");
  try {
    await fill(url, nowMs);
    const share = await gramShares(database, Date.now).current();
    const rows: { search: string; plan: SearchPlan }[] = [];
    const explain = async (search: string, params: object, atMs = nowMs): Promise<void> => {
      rows.push({ search, plan: await explainSearch(database, { params, share, nowMs: atMs, repeat: 9 }) });
    };
    for (const [search, params] of Object.entries(searchCases(nowMs))) await explain(search, params);
    for (const share of [0.5, 0.95]) {
      const cursor = await deepCursor(database, share);
      await explain(`page behind ${share * 100} %`, { cursor });
      await explain(`absent name behind ${share * 100} %`, { cursor, name: "erencerence" });
      await explain(`concerts behind ${share * 100} %`, { cursor, type: "concert" });
    }
    await explain("no filter, nearly all over", {}, nowMs + 530 * DAY_MS);
    await explain("type, nearly all over", { type: "opera" }, nowMs + 530 * DAY_MS);
    const filtersMs = await quickest(() => listFilters(database, nowMs));

    console.log(`${"search".padEnd(40)}${"ms".padStart(8)}${"rows".padStart(6)}  plan`);
    for (const { search, plan } of rows)
      console.log(
        `${search.padEnd(40)}${plan.ms.toFixed(1).padStart(8)}${String(plan.rows).padStart(6)}  ${plan.sequential ? "SEQ SCAN " : ""}${plan.scans.join(", ")}`,
      );
    console.log(`the lists to choose from took ${filtersMs.toFixed(0)} ms`);
    const faults = rows
      .filter(({ plan }) => plan.sequential || plan.ms > LIMIT_MS)
      .map(({ search, plan }) => `${search}: ${plan.sequential ? "reads the whole table" : `${plan.ms.toFixed(0)} ms`}`);
    if (filtersMs > LIMIT_MS) faults.push(`the lists to choose from: ${filtersMs.toFixed(0)} ms`);
    return { results: { rows, filtersMs }, faults };
  } finally {
    await database.close();
  }
}

async function fill(url: string, nowMs: number): Promise<void> {
  const database = openDatabase(url, "long");
  let batch = [];
  for (const event of plantedEvents(COUNT, nowMs)) {
    batch.push(event);
    if (batch.length < 1_000) continue;
    await insertEvents(database, batch);
    batch = [];
  }
  await database.query({ text: "VACUUM (ANALYZE) event" });
  await database.close();
}

/** The first run of a statement also plans it and fills its buffers. */
async function quickest(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < 9; count++) {
    const startedMs = performance.now();
    await work();
    times.push(performance.now() - startedMs);
  }
  return Math.min(...times);
}
