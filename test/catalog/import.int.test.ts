import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { after, before, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { EventRecord } from "../../domain/event-record.ts";
import type { Connection } from "../../lib/database/pool.ts";
import { readFeed } from "../../tools/feeds/read-feed.ts";
import type { EventView } from "../../services/catalog/events/event.model.ts";
import { eventId } from "../../lib/ids.ts";
import type { SearchPage } from "../../services/catalog/search/find-page.ts";
import { type CatalogWorld, openCatalogWorld } from "../support/fixtures/catalog-fixture.ts";
import { collect } from "../support/http/collect-stream.ts";
import { ownEvent, readStored, sellTickets } from "../support/fixtures/event-rows.ts";
import { lockWaits } from "../support/lock-waits.ts";
import { waitFor } from "../support/wait-for.ts";
import { galaIn } from "../support/fixtures/gala.ts";

const NOW = Date.parse("2027-03-10T12:00:00Z");
/** A slice of a public list; its license is beside it. */
const CONFERENCES = fileURLToPath(new URL("../data/conferences.json", import.meta.url));

describe("imports", () => {
  let world: CatalogWorld;
  let gala: EventRecord;
  let id: string;
  before(async () => {
    world = await openCatalogWorld(NOW);
  });
  beforeEach(() => {
    gala = galaIn(2027);
    id = eventId(gala);
    world.changed.length = 0;
  });
  after(() => world.close());

  const own = (epoch: number) => ownEvent(world.database, id, epoch);
  const stored = () => readStored(world.database, id);
  const sell = (quantity: number, connection: Connection = world.database) =>
    sellTickets(connection, id, gala.date, [quantity]);

  it("take a real feed of five thousand events, and a second time change nothing", async () => {
    const feed = await collect(readFeed(createReadStream(CONFERENCES, "utf8"), {}));
    assert.equal(feed.length, 382);
    const distinct = new Map<string, EventRecord>();
    for (const record of feed) {
      assert.ok("event" in record, record.name);
      if (!distinct.has(record.event.sourceId)) distinct.set(record.event.sourceId, record.event);
    }
    // The slice is repeated up to the size of the whole list.
    const events = Array.from({ length: 14 }, (_, copy) =>
      [...distinct.values()].map((event) => ({ ...event, sourceId: `${event.sourceId} ${copy}` })),
    ).flat();
    const startedMs = performance.now();
    assert.deepEqual(tally(await world.import(events)), { imported: events.length });
    assert.ok(performance.now() - startedMs < 20_000);
    assert.deepEqual(tally(await world.import(events)), { unchanged: events.length });
    assert.deepEqual(world.changed, []);
    const found = await world.value<SearchPage>("catalog.search", {
      location: "são paulo",
      name: "CONF",
      from: "2013-01-01",
      limit: 100,
    });
    const wanted = events.filter(
      ({ location, name }) => location === "São Paulo" && /conf/i.test(name),
    );
    assert.ok(wanted.length > 0 && wanted.length <= 100);
    assert.equal(found.items.length, wanted.length);
  });

  it("write what does not touch the sale without a new epoch, and tell of it", async () => {
    assert.deepEqual(await world.import([gala]), [{ outcome: "imported" }]);
    await own(5);
    const renamed = {
      ...gala,
      name: "Gala, with guests",
      type: "opera",
      location: "Potsdam",
      url: "https://gala.example",
    };
    assert.deepEqual(await world.import([renamed]), [{ outcome: "updated" }]);
    const { items } = await world.value<SearchPage>("catalog.search", {
      name: "with guests",
      location: "potsdam",
      type: "Opera",
    });
    assert.deepEqual(
      items.map(({ id: found, url }) => [found, url]),
      [[id, "https://gala.example"]],
    );
    assert.deepEqual(
      (
        await world.value<SearchPage>("catalog.search", {
          name: "gala",
          location: "berlin",
          date: gala.date,
        })
      ).items,
      [],
    );
    assert.equal((await stored()).epoch, 5);
    await waitFor(() => world.changed.includes(id));
  });

  it("change the capacity of an event on sale, book what is pending, fence its worker", async () => {
    await world.import([gala]);
    await own(5);
    await sell(4);
    await world.redis.set(`event:{${id}}`, "{}");
    assert.deepEqual(await world.import([{ ...gala, totalCapacity: 7 }]), [{ outcome: "updated" }]);
    const { epoch, ...rest } = await stored();
    assert.ok(epoch > 5);
    assert.deepEqual(rest, {
      capacity: 3,
      total: 7,
      node: "catalog-test",
      pending: 0,
      booked: -4,
      active: 4,
      dates: [gala.date],
    });
    assert.equal(await world.redis.exists(`event:{${id}}`), 0);
    const left = JSON.parse((await world.redis.get(`event:{${id}}:available`)) ?? "{}") as object;
    assert.deepEqual(left, { available: 3, epoch, batch: 0, run: world.redis.runId() });
    assert.equal((await world.value<EventView>("catalog.get", { eventId: id })).available, 3);
    await waitFor(() => world.changed.includes(id));
  });

  it("refuse a capacity below the sold tickets, name their number, and stop no sale", async () => {
    await world.import([gala]);
    await own(5);
    await sell(4);
    const outcome = await world.import([{ ...gala, totalCapacity: 3, name: "Smaller" }]);
    assert.deepEqual(outcome, [
      { outcome: "refused", reason: "capacity 3 is below the 4 tickets that are sold" },
    ]);
    const { epoch, pending, total } = await stored();
    assert.deepEqual([epoch, pending, total], [5, 1, 10]);
    assert.equal((await world.value<EventView>("catalog.get", { eventId: id })).name, "Gala");
    assert.deepEqual(await world.import([{ ...gala, totalCapacity: 4 }]), [{ outcome: "updated" }]);
    assert.equal((await stored()).capacity, 0);
  });

  it("wait for the batch in flight and count it", async () => {
    await world.import([gala]);
    await own(5);
    const copy = `event:{${id}}:available`;
    await world.redis.set(copy, "{}", "PX", 3_600_000);
    let importing: Promise<unknown> | undefined;
    await world.database.transaction(async (worker) => {
      await sell(6, worker);
      importing = world.import([{ ...gala, totalCapacity: 5 }]);
      await waitFor(async () => (await lockWaits(world.database, "%event_worker%")) > 0);
      // If the import died now, after its commit, the old copies in Redis would stay.
      assert.ok((await world.redis.pttl(copy)) <= 60_000);
    });
    assert.deepEqual(await importing, [
      { outcome: "refused", reason: "capacity 5 is below the 6 tickets that are sold" },
    ]);
    assert.deepEqual(pick(await stored()), { capacity: 4, total: 10, pending: 0, booked: -6 });
  });

  it("book failed rows too, and heal a capacity that had gone wrong", async () => {
    await world.import([gala]);
    await own(5);
    await sell(2);
    await world.database.query({
      text: "UPDATE event_ticket_transactions SET status = 'failed' WHERE event_id = $1",
      values: [id],
    });
    await world.database.query({
      text: "UPDATE event SET capacity = 1 WHERE id = $1",
      values: [id],
    });
    await world.import([{ ...gala, totalCapacity: 20 }]);
    assert.deepEqual(pick(await stored()), { capacity: 18, total: 20, pending: 0, booked: -2 });
  });

  it("move an event, and the date of its tickets with it", async () => {
    await world.import([gala]);
    await own(5);
    await sell(1);
    const moved = {
      date: "2027-06-02",
      startsAt: "2027-06-02T18:00:00.000Z",
      endsAt: "2027-06-02T20:00:00.000Z",
    };
    assert.deepEqual(await world.import([{ ...gala, ...moved }]), [{ outcome: "updated" }]);
    const { epoch } = await stored();
    assert.ok(epoch > 5);
    await waitFor(async () => (await stored()).dates.join() === "2027-06-02");
  });

  it("cancel and postpone an event under a new epoch, and show it", async () => {
    await world.import([gala]);
    await own(5);
    await sell(1);
    let last = 5;
    for (const status of ["cancelled", "postponed", "scheduled"] as const) {
      assert.deepEqual(await world.import([{ ...gala, status }]), [{ outcome: "updated" }]);
      assert.equal((await world.value<EventView>("catalog.get", { eventId: id })).status, status);
      const { items } = await world.value<SearchPage>("catalog.search", { date: gala.date });
      assert.equal(items.find((item) => item.id === id)?.status, status);
      const { epoch, active } = await stored();
      assert.ok(epoch > last && active === 1);
      last = epoch;
    }
    const other = { ...gala, sourceId: `${gala.sourceId} off`, status: "cancelled" as const };
    assert.deepEqual(await world.import([other]), [{ outcome: "imported" }]);
    const found = await world.value<EventView>("catalog.get", { eventId: eventId(other) });
    assert.equal(found.status, "cancelled");
    // Tools of the last release do not send a status.
    const older = { ...gala, status: undefined };
    assert.deepEqual(await world.value("catalog.import", { records: [older] }), {
      outcomes: [{ outcome: "unchanged" }],
    });
    await assert.rejects(world.call("catalog.import", { records: [{ ...gala, status: "off" }] }), {
      type: "VALIDATION_ERROR",
    });
  });

  it("write a new event once that two feeds bring at the same time, and the last of two", async () => {
    const records = Array.from({ length: 200 }, (_, index) => ({
      ...gala,
      sourceId: `${gala.sourceId} ${index}`,
    }));
    const both = (
      await Promise.all([world.import(records), world.import(records.toReversed())])
    ).flat();
    assert.deepEqual(tally(both), { imported: 200, unchanged: 200 });
    assert.deepEqual(await world.import([gala, { ...gala, name: "Again" }]), [
      { outcome: "imported" },
      { outcome: "updated" },
    ]);
  });

  it("refuse each record that cannot be, and write the others", async () => {
    const outcomes = await world.import([
      { ...gala, duration: 121 },
      { ...gala, name: "\u0301" },
      gala,
    ]);
    assert.deepEqual(outcomes, [
      { outcome: "refused", reason: "duration is not the minutes from start to end" },
      { outcome: "refused", reason: "name has no letter or digit" },
      { outcome: "imported" },
    ]);
    await assert.rejects(world.call("catalog.import", { records: [{ ...gala, capacity: 1 }] }), {
      type: "VALIDATION_ERROR",
    });
  });
});

function tally(outcomes: readonly { outcome: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

function pick({
  capacity,
  total,
  pending,
  booked,
}: {
  capacity: number;
  total: number;
  pending: number;
  booked: number;
}): object {
  return { capacity, total, pending, booked };
}
