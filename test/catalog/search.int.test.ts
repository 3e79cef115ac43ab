import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { fold, grams } from "../../domain/text-folding.ts";
import type { EventRecord } from "../../domain/event-record.ts";
import { cityKey } from "../../services/catalog/events/city-key.ts";
import type { EventView } from "../../services/catalog/events/event.model.ts";
import type { Filters } from "../../services/catalog/search/filter-options.ts";
import { eventId } from "../../lib/ids.ts";
import type { SearchPage } from "../../services/catalog/search/find-page.ts";
import type { SearchParams } from "../../services/catalog/search/search-filters.ts";
import { demoEvents } from "../../tools/demo/demo-catalog.ts";
import { type CatalogWorld, openCatalogWorld } from "../support/fixtures/catalog-fixture.ts";

const NOW = Date.parse("2027-03-10T12:00:00Z");
const DAY_MS = 86_400_000;

describe("searches", () => {
  let world: CatalogWorld;
  let events: EventRecord[];
  before(async () => {
    world = await openCatalogWorld(NOW);
    // Two thirds of the days are over; five names are there for their letters.
    events = [...demoEvents(1_500, NOW - 200 * DAY_MS, 300)];
    const [model] = events;
    assert.ok(model);
    // Two that last for weeks and began long before today, one of them over.
    const long = {
      ...model,
      type: "exhibition",
      location: "Tokyo",
      startTime: "10:00",
      endTime: "18:00",
      timeZone: "Asia/Tokyo",
      duration: 40_800,
    };
    events.push({ ...long, sourceId: "long", name: "Jazz for Weeks", date: "2027-02-20", startsAt: "2027-02-20T01:00:00.000Z", endsAt: "2027-03-20T09:00:00.000Z" }); // prettier-ignore
    events.push({ ...long, sourceId: "over", name: "Jazz for Weeks", date: "2027-02-01", startsAt: "2027-02-01T01:00:00.000Z", endsAt: "2027-03-01T09:00:00.000Z" }); // prettier-ignore
    const odd = ["100% Jazz", "100_ Jazz", "100 Jazz", "back\\slash", "ĄĆĘ ßtraßen-Øl"];
    odd.forEach((name, index) => {
      const model = events[index];
      assert.ok(model);
      events.push({ ...model, sourceId: `odd-${index}`, name, location: index === 4 ? "Łódź" : "München", date: "2027-04-01", startTime: "20:00", endTime: "22:00", duration: 120, timeZone: "Europe/Berlin", startsAt: "2027-04-01T18:00:00.000Z", endsAt: "2027-04-01T20:00:00.000Z" }); // prettier-ignore
    });
    await world.import(events);
  });
  after(() => world.close());

  /** All pages of a search, each event once, in order. */
  async function all(params: SearchParams): Promise<EventView[]> {
    const items: EventView[] = [];
    let cursor: string | null = null;
    do {
      const page: SearchPage = await world.value<SearchPage>("catalog.search", {
        limit: 37,
        ...params,
        ...(cursor === null ? {} : { cursor }),
      });
      items.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return items;
  }

  /** What a search must find, said again in the plainest way: read every event and look. */
  function expected(params: SearchParams): string[] {
    const { location, name, type, date, from, to } = params;
    const city = (text: string): string => cityKey(fold(text));
    const past = [date, from].some((day) => day !== undefined && day < "2027-03-10");
    return events
      .filter((event) => location === undefined || city(event.location) === city(location))
      .filter((event) => type === undefined || fold(event.type) === fold(type))
      .filter((event) => name === undefined || fold(event.name).includes(fold(name)))
      .filter(
        (event) =>
          (date === undefined || event.date === date) &&
          // Today also lists what goes on.
          (from === undefined || from === "2027-03-10" || event.date >= from) &&
          (to === undefined || event.date <= to),
      )
      .filter((event) => past || Date.parse(event.endsAt) > NOW)
      .map((event) => [event.date, event.startsAt, eventId(event)] as const)
      .sort(([...a], [...b]) => (a.join() < b.join() ? -1 : 1))
      .map(([, , id]) => id);
  }

  const names = (items: EventView[]): string[] => items.map(({ name }) => name).sort();

  it("list from today what began before and goes on, but not from another day", async () => {
    const weeks = async (from: string) => names(await all({ from, name: "for weeks" }));
    assert.deepEqual(await weeks("2027-03-10"), ["Jazz for Weeks"]);
    assert.deepEqual(await weeks("2027-03-11"), []);
    const page = await all({ from: "2027-03-10", to: "2027-03-12" });
    assert.ok(page.some(({ name }) => name === "Jazz for Weeks"));
  });

  it("find what a full scan finds, in order, over all pages without gap or repeat", async () => {
    const days = [
      "2026-10-01",
      "2027-03-09",
      "2027-03-10",
      "2027-03-11",
      "2027-05-01",
      "2031-01-01",
    ];
    const searches: SearchParams[] = [
      {},
      ...["tokyo", "SAO PAULO", "münchen", "MUNCHEN", "lodz", "Atlantis", "mun"].map(
        (location) => ({ location }),
      ),
      ...["concert", "CONCERT", "regatta"].map((type) => ({ type })),
      ...[
        "a",
        "é",
        "q",
        "an",
        "xq",
        "jazz",
        "Nuñez",
        "dvorak",
        "rust conf",
        "of the",
        "for weeks",
        "京",
        "Ø",
        "SSEN",
        "zzyzx",
        "conference tokyo",
      ].map((name) => ({ name })),
      ...days.flatMap((day) => [
        { date: day },
        { from: day },
        { to: day },
        { from: "2026-09-01", to: day },
      ]),
      { location: "Tokyo", type: "concert" },
      { type: "exhibition", name: "weeks" },
      { name: "weeks", to: "2027-03-09" },
      { location: "Tokyo", name: "o" },
      { location: "Tokyo", name: "an", type: "comedy", from: "2026-09-01", to: "2027-12-31" },
      { type: "theatre", name: "hamlet", from: "2026-10-01" },
      { type: "festival", date: "2027-04-01" },
      { from: "2027-05-01", to: "2027-04-01" },
    ];
    let found = 0;
    for (const params of searches) {
      const ids = (await all(params)).map(({ id }) => id);
      assert.deepEqual(ids, expected(params), JSON.stringify(params));
      found += ids.length;
    }
    assert.ok(found > 3_000, `only ${found} found in all: the searches test nothing`);
  });

  it("take %, _ and \\ for ordinary characters", async () => {
    assert.deepEqual(names(await all({ name: "100%" })), ["100% Jazz"]);
    assert.deepEqual(names(await all({ name: "100_" })), ["100_ Jazz"]);
    assert.deepEqual(names(await all({ name: "0%J" })), []);
    assert.deepEqual(names(await all({ name: "_" })), ["100_ Jazz"]);
    assert.deepEqual(names(await all({ name: "\\" })), ["back\\slash"]);
    assert.deepEqual(names(await all({ name: "k\\s" })), ["back\\slash"]);
  });

  it("show an event as the contract does", async () => {
    const [item] = await all({ location: "lodz" });
    const [last, model] = [events.at(-1), events[4]];
    assert.ok(last && model);
    const id = eventId(last);
    const { type, country, url, totalCapacity } = model;
    assert.deepEqual(item, {
      id,
      name: "ĄĆĘ ßtraßen-Øl",
      type,
      location: "Łódź",
      country,
      url,
      date: "2027-04-01",
      startTime: "20:00",
      endTime: "22:00",
      duration: 120,
      timeZone: "Europe/Berlin",
      startsAt: "2027-04-01T18:00:00.000Z",
      status: "scheduled",
      totalCapacity,
      available: totalCapacity,
    });
    assert.deepEqual(await world.value("catalog.get", { eventId: id }), item);
    assert.deepEqual(await world.value("catalog.get", { eventId: id.toUpperCase() }), item);
  });

  it("count what is chosen from among upcoming events, most first", async () => {
    const { locations, types } = await world.value<Filters>("catalog.filters", {});
    const upcoming = events.filter(({ endsAt }) => Date.parse(endsAt) > NOW);
    assert.equal(
      types.reduce((sum, { count }) => sum + count, 0),
      upcoming.length,
    );
    assert.equal(
      locations.reduce((sum, { count }) => sum + count, 0),
      upcoming.length,
    );
    assert.equal(
      types.find(({ value }) => value === "concert")?.count,
      upcoming.filter(({ type }) => type === "concert").length,
    );
    for (const list of [locations, types])
      assert.deepEqual(
        list,
        [...list].sort((a, b) => b.count - a.count),
      );
  });

  it("refuse what is no day and a cursor that is not theirs, and name the field", async () => {
    const page = await world.value<SearchPage>("catalog.search", { limit: 1 });
    const cursor = page.nextCursor ?? "";
    const forged = (value: unknown): string =>
      Buffer.from(JSON.stringify(value)).toString("base64url");
    const [date, startsAt, id] = JSON.parse(
      Buffer.from(cursor, "base64url").toString(),
    ) as string[];
    const cursors = ["x", "", `${cursor}A`, cursor.slice(0, -2), "é", forged(null), forged([]), forged(["2027-02-30", startsAt, id]), forged([date, "now()", id]), forged([date, startsAt, "1"]), forged([date, startsAt, id, 1]), forged({ date })]; // prettier-ignore
    for (const wrong of cursors)
      assert.deepEqual(
        await world.call("catalog.search", { cursor: wrong }),
        refusal("cursor", "cursor"),
        wrong,
      );
    for (const wrong of ["2027-02-30", "2027-13-01", "0000-01-01"])
      for (const field of ["date", "from", "to"])
        assert.deepEqual(
          await world.call("catalog.search", { [field]: wrong }),
          refusal(field, "date"),
          `${field} ${wrong}`,
        );
    await assert.rejects(world.call("catalog.search", { limit: 101 }), {
      type: "VALIDATION_ERROR",
    });
    await assert.rejects(world.call("catalog.search", { query: "x" }), {
      type: "VALIDATION_ERROR",
    });
    await assert.rejects(world.call("catalog.list", {}), { type: "SERVICE_NOT_FOUND" });
    assert.deepEqual(
      await world.call("catalog.get", { eventId: "00000000-0000-4000-8000-000000000000" }),
      {
        ok: false,
        refusal: { code: "EVENT_NOT_FOUND" },
      },
    );
  });

  it("trust a copy of what is left only if this Redis wrote it, and do without Redis", async () => {
    const [first, second] = await all({ location: "Tokyo" });
    assert.ok(first && second);
    const run = world.redis.runId();
    await world.redis.set(
      `event:{${first.id}}:available`,
      JSON.stringify({ available: 3, epoch: 1, batch: 1, run }),
    );
    await world.redis.set(
      `event:{${second.id}}:available`,
      JSON.stringify({ available: 4, epoch: 1, batch: 1, run: "another" }),
    );
    await world.database.query({
      text: `INSERT INTO event_ticket_transactions
          (transaction_id, event_id, user_id, event_date, quantity, epoch, batch, created_at)
             VALUES ('\\x01', $1, $1, now(), -2, 1, 1, now())`,
      values: [second.id],
    });
    const left = async (): Promise<(number | undefined)[]> => {
      const items = await all({ location: "Tokyo" });
      return [first.id, second.id].map((id) => items.find((item) => item.id === id)?.available);
    };
    assert.deepEqual(await left(), [3, second.totalCapacity - 2]);
    const gone = once(world.redis, "end");
    world.redis.disconnect();
    await gone;
    assert.deepEqual(await left(), [first.totalCapacity, second.totalCapacity - 2]);
    await world.redis.connect();
  });

  it("index the same grams that queries are cut into", async () => {
    const names = new Set(events.slice(-300).map(({ name }) => fold(name)));
    const keys = [...names, "", "a", "ab", "😀 é", "ab".repeat(50)];
    const rows = await world.database.query<{ key: string; grams: string[] }>({
      text: `SELECT key, event_week_grams('2027-03-10', key, 'gig') AS grams
        FROM unnest($1::text[]) AS key`,
      values: [keys],
    });
    for (const row of rows) {
      const keysOfWeek = [...grams(row.key), "=gig"].map((gram) => `2983${gram}`);
      assert.deepEqual([...new Set(row.grams)].sort(), keysOfWeek.sort(), row.key);
    }
  });
});

function refusal(field: string, rule: string): object {
  return { ok: false, refusal: { code: "VALIDATION_ERROR", data: { errors: [{ field, rule }] } } };
}
