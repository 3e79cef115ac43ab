import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { plantedEvents, searchCases } from "../../tools/bench/scenarios/search/search-cases.ts";
import {
  deepCursor,
  explainSearch,
  type SearchPlan,
} from "../../tools/bench/scenarios/search/search-plan.ts";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import { insertEvents } from "../../services/catalog/events/event-store.ts";
import type { SearchParams } from "../../services/catalog/search/search-filters.ts";
import { freshDatabase, type FreshDatabase, withoutAutovacuum } from "../support/database.ts";
import { waitFor } from "../support/wait-for.ts";

const NOW = Date.parse("2027-03-10T12:00:00Z");
const COUNT = 10_000;

describe("the plans of searches", () => {
  let fresh: FreshDatabase;
  let database: Database;
  before(async () => {
    fresh = await freshDatabase();
    database = openDatabase(fresh.url, "long");
    // An ANALYZE or VACUUM of its own time would change the statistics between two plans.
    await database.query({ text: "ALTER TABLE event SET (autovacuum_enabled = false)" });
    const events = [...plantedEvents(COUNT, NOW)];
    for (let start = 0; start < events.length; start += 1_000)
      await insertEvents(database, events.slice(start, start + 1_000));
    // VACUUM marks no page before the rows' commits are flushed (the server of tests commits
    // asynchronously), while another transaction of this database holds a snapshot, or while the
    // server is writing the page. One pass can leave pages out, for which "Index Only" is then
    // expensive and a bitmap scan is cheap. So it is repeated until all pages are marked.
    await database.query({ text: "CHECKPOINT" });
    await withoutAutovacuum(() =>
      waitFor(
        async () => {
          await database.maintain("VACUUM (ANALYZE) event");
          const [pages] = await database.query<{ marked: boolean }>({
            text: `SELECT relallvisible = relpages AS marked FROM pg_class
              WHERE oid = 'event'::regclass`,
          });
          return pages?.marked;
        },
        { withinMs: 60_000, what: "A table whose pages are all marked as visible" },
      ),
    );
    await database.query({ text: "ANALYZE event_word" });
  });
  after(async () => {
    await database.close();
    await fresh.drop();
  });

  const plan = async (params: SearchParams, nowMs = NOW): Promise<SearchPlan> =>
    explainSearch(database, { params, nowMs, repeat: 7 });

  it("never read the table from end to end", async () => {
    for (const [name, params] of Object.entries(searchCases(NOW))) {
      const { sequential, scans } = await plan(params);
      assert.ok(!sequential, name);
      assert.ok(scans.length > 0, name);
    }
  });

  /** What finds the page, apart from what lasts long, and from the rows that are shown. */
  const finders = async (params: SearchParams, nowMs = NOW): Promise<string[]> =>
    (await plan(params, nowMs)).scans.filter((scan) => !/event_by_date_long|event_pkey/.test(scan));

  it("use one ordered index alone if there is no name, or one city or day", async () => {
    for (const [params, index] of [
      [{}, "event_by_date"],
      [{ from: "2027-05-01", to: "2027-06-01" }, "event_by_date"],
      [{ type: "concert" }, "event_by_type"],
      [{ date: "2027-05-01", name: "e" }, "event_by_date"],
    ] as const)
      assert.deepEqual(await finders(params), [`Index Only Scan ${index}`], JSON.stringify(params));
    for (const params of [{ location: "Tokyo" }, { location: "München", name: "jazz" }])
      assert.deepEqual(
        await finders(params),
        ["Index Only Scan event_by_location", "Index Only Scan event_by_city"],
        JSON.stringify(params),
      );
  });

  it("scan for a name in page order first, then by its grams alone, week by week", async () => {
    for (const name of ["qx", "xq", "zzyzx", "京", "dvorak", "e", "finale"])
      assert.deepEqual(
        await finders({ name }),
        ["Index Only Scan event_by_date", "Bitmap Index Scan event_by_week_grams"],
        name,
      );
    const ofType = await finders({ name: "conference", type: "workshop" });
    assert.deepEqual(ofType, [
      "Index Only Scan event_by_type",
      "Bitmap Index Scan event_by_week_grams",
    ]);
  });

  it("scan for a query in page order first, then by words or grams, week by week", async () => {
    // A week that is read in page order may be a bitmap scan of the same index.
    const indexes = async (params: SearchParams): Promise<string[]> => {
      const scans = await finders(params);
      return [...new Set(scans.map((scan) => scan.split(" ").at(-1) ?? ""))].sort();
    };
    for (const q of ["conference", "confernce", "zugabe", "tokyo dvorak", "qx london"])
      assert.deepEqual(await indexes({ q }), ["event_by_date", "event_by_week_city"], q);
    for (const q of ["qx", "京", "e", "qx an"])
      assert.deepEqual(
        await indexes({ q }),
        ["event_by_date", "event_by_week_city", "event_by_week_grams"],
        q,
      );
    assert.deepEqual(await indexes({ q: "zugabe", type: "concert" }), [
      "event_by_type",
      "event_by_week_city",
    ]);
    assert.deepEqual(await indexes({ q: "jazz", location: "Tokyo" }), [
      "event_by_city",
      "event_by_location",
    ]);
  });

  it("stay with the index on deep pages, and among events that are over", async () => {
    assert.deepEqual(await finders({ cursor: await deepCursor(database, 0.95) }), [
      "Index Only Scan event_by_date",
    ]);
    assert.deepEqual(await finders({}, NOW + 530 * 86_400_000), ["Index Only Scan event_by_date"]);
  });

  it("are found to read the whole table without an index: the check can fail", async () => {
    await database.query({ text: "DROP INDEX event_by_date, event_by_type, event_by_location" });
    assert.ok((await plan({})).sequential);
  });
});
