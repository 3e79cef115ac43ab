import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { EventRecord } from "../../domain/event-record.ts";
import { eventId } from "../../lib/ids.ts";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import { demoEvents } from "../../tools/demo/demo-catalog.ts";
import { insertEvents } from "../../services/catalog/events/event-store.ts";
import {
  searchFilters,
  type SearchParams,
  writeCursor,
} from "../../services/catalog/search/search-filters.ts";
import { searchStatement } from "../../services/catalog/search/search.sql.ts";
import { freshDatabase, type FreshDatabase } from "../support/database.ts";

const NOW = Date.parse("2027-03-10T12:00:00Z");

type Week = { days: string[]; events: number; has: (number: number) => boolean };

/**
 * First more events than a scan reads; then a week in which hundreds have the word, one in which
 * some have, again one in which hundreds have, and one in which more than a scan reads lie
 * between ten and hundreds.
 */
const WEEKS: readonly Week[] = [
  { days: ["2027-04-01", "2027-04-02"], events: 5_200, has: () => false },
  {
    days: ["2027-06-07", "2027-06-08", "2027-06-09"],
    events: 1_300,
    has: (number) => (number * 7) % 1_300 < 900,
  },
  { days: ["2027-07-05", "2027-07-06"], events: 400, has: (number) => (number * 7) % 400 < 120 },
  { days: ["2027-08-02"], events: 900, has: (number) => (number * 7) % 900 < 600 },
  { days: ["2027-09-06"], events: 6_500, has: (number) => number < 10 || number >= 5_800 },
];

describe("a name that comes late", () => {
  let fresh: FreshDatabase;
  let database: Database;
  const events: EventRecord[] = [];
  before(async () => {
    fresh = await freshDatabase();
    database = openDatabase(fresh.url, "long");
    const count = WEEKS.reduce((sum, week) => sum + week.events, 0);
    const drafts = [...demoEvents(count, NOW, 300)];
    for (const { days, events: inWeek, has } of WEEKS)
      for (let index = 0; index < inWeek; index += 1) {
        const draft = drafts[events.length];
        assert.ok(draft);
        const date = days[index % days.length] ?? "";
        const named = has(index) ? `${draft.name} Zugabe` : draft.name;
        // Ten seconds apart: within a day the order of writing is the order of the page.
        const startsAt = new Date(Date.parse(`${date}T00:00:00Z`) + index * 10_000).toISOString();
        const endsAt = new Date(Date.parse(startsAt) + 3_600_000).toISOString();
        events.push({
          ...draft,
          name: named,
          type: index % 3 === 0 ? "opera" : "concert",
          date,
          startsAt,
          endsAt,
          duration: 60,
        });
      }
    for (let start = 0; start < events.length; start += 1_000)
      await insertEvents(database, events.slice(start, start + 1_000));
    await database.query({ text: "ANALYZE event" });
  });
  after(async () => {
    await database.close();
    await fresh.drop();
  });

  /** The ids of all pages. */
  async function all(params: SearchParams): Promise<string[]> {
    const found: string[] = [];
    for (let cursor: string | undefined; ;) {
      const filters = searchFilters(
        { ...params, ...(cursor === undefined ? {} : { cursor }) },
        NOW,
      );
      assert.ok(filters.ok);
      const rows = await database.query<{ id: string; date: string; startsAt: string }>(
        searchStatement(filters.value),
      );
      const page = rows.slice(0, filters.value.limit);
      found.push(...page.map(({ id }) => id));
      assert.ok(found.length <= events.length, "its pages come to an end");
      const last = page.at(-1);
      if (rows.length <= page.length || last === undefined) return found;
      cursor = writeCursor(last);
    }
  }

  function expected(wanted: (event: EventRecord) => boolean): string[] {
    return events
      .filter(wanted)
      .map((event) => [event.date, event.startsAt, eventId(event)] as const)
      .sort(([...one], [...other]) => (one.join() < other.join() ? -1 : 1))
      .map(([, , id]) => id);
  }

  const word = ({ name }: EventRecord): boolean => name.endsWith("Zugabe");
  for (const [what, params, wanted] of [
    ["in every page", { name: "zugabe", limit: 10 }, word],
    ["in one page of 100 after another", { name: "ugabe", limit: 100 }, word],
    [
      "with its type",
      { name: "zugabe", type: "concert", limit: 37 },
      (event: EventRecord) => word(event) && event.type === "concert",
    ],
    [
      "from a day on",
      { name: "zugabe", from: "2027-06-08", limit: 50 },
      (event: EventRecord) => word(event) && event.date >= "2027-06-08",
    ],
    [
      "until a day",
      { name: "zugabe", to: "2027-06-08", limit: 50 },
      (event: EventRecord) => word(event) && event.date <= "2027-06-08",
    ],
  ] as const)
    it(`is found ${what}, in the order of date, start and id, each event once`, async () => {
      const ids = expected(wanted);
      assert.ok(
        ids.length > 300,
        `${ids.length} events are enough for several pages of a crowded week`,
      );
      assert.deepEqual(await all(params), ids);
    });
});
