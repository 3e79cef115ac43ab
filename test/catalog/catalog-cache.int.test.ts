// The catalog's copies in Redis: used only while they equal PostgreSQL, or while it is down.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { EventRecord } from "../../domain/event-record.ts";
import {
  availableKey,
  GENERATION_KEY,
  writeAvailability,
} from "../../lib/availability/availability-cache.ts";
import { demoEvents } from "../../tools/demo/demo-catalog.ts";
import { eventKey, pageKey } from "../../services/catalog/events/cache-invalidation.ts";
import { eventId } from "../../lib/ids.ts";
import type { EventView } from "../../services/catalog/events/event.model.ts";
import type { Filters } from "../../services/catalog/search/filter-options.ts";
import { newCatalogCounts } from "../../services/catalog/search/read-through-cache.ts";
import type { SearchPage } from "../../services/catalog/search/find-page.ts";
import {
  type SearchParams,
  searchFilters,
  searchKey,
} from "../../services/catalog/search/search-filters.ts";
import { type CatalogWorld, openCatalogWorld } from "../support/fixtures/catalog-fixture.ts";
import { openTcpProxy, type TcpProxy } from "../../tools/chaos/network/tcp-proxy.ts";
import { lockWaits } from "../support/lock-waits.ts";
import { waitFor } from "../support/wait-for.ts";

const NOW = Date.parse("2027-03-10T12:00:00Z");
const TOKYO: SearchParams = { location: "tokyo" };
describe("the catalog's copies", () => {
  let world: CatalogWorld;
  let proxy: TcpProxy;
  let events: EventRecord[];
  before(async () => {
    world = await openCatalogWorld(NOW, {
      reads: async (url) => (proxy = await openTcpProxy(url)).url,
    });
    events = [...demoEvents(1_500, NOW, 300)];
    await world.import(events);
  });
  after(async () => {
    await world.close();
    await proxy.close();
  });
  beforeEach(async () => {
    await world.redis.flushdb();
    Object.assign(world.counts, newCatalogCounts());
  });

  const keyOf = (params: SearchParams): string => {
    const filters = searchFilters(params, NOW);
    assert.ok(filters.ok);
    return pageKey(searchKey(params, filters.value));
  };
  const search = (params = TOKYO) => world.value<SearchPage>("catalog.search", params);
  const namesOf = ({ items }: SearchPage): string[] => items.map(({ name }) => name);
  /** Searches, and waits until the copies are written. */
  const seen = async (params = TOKYO): Promise<SearchPage> => {
    const page = await search(params);
    const keys = [
      keyOf(params),
      ...page.items.flatMap(({ id }) => [eventKey(id), availableKey(id)]),
    ];
    await waitFor(async () => (await world.redis.exists(...keys)) === keys.length);
    return page;
  };
  const record = (id: string | undefined): EventRecord =>
    events.find((event) => eventId(event) === id) ?? assert.fail("an event of the catalog");

  it("answer the same question again, however it is spelled, without PostgreSQL", async () => {
    const page = await seen();
    assert.ok(page.items.length > 1);
    const id = page.items[0]?.id ?? "";
    const filters = await world.value<Filters>("catalog.filters", {});
    await waitFor(async () => (await world.redis.exists(pageKey("filters"))) === 1);
    proxy.freeze(true);
    try {
      assert.deepEqual(await search(), page);
      assert.deepEqual(await search({ location: "TÓKYO", limit: 20 }), page);
      assert.deepEqual(await world.value("catalog.get", { eventId: id }), page.items[0]);
      assert.deepEqual(await world.value("catalog.filters", {}), filters);
    } finally {
      proxy.freeze(false);
    }
    assert.deepEqual(world.counts, { ...newCatalogCounts(), hits: 4, misses: 2 });
  });

  it("of a page in memory are read for its availability, and for nothing else", async () => {
    const page = await seen();
    const [first] = page.items;
    await world.redis.del(keyOf(TOKYO), ...page.items.map(({ id }) => eventKey(id)));
    proxy.freeze(true);
    try {
      assert.equal(
        await search(),
        page,
        "the same object, so that the gateway need not spell it out again",
      );
      await writeAvailability(world.redis, [
        { eventId: first?.id ?? "", available: 3, epoch: 9, batch: 1, endsAtMs: NOW * 2 },
      ]);
      const after = await search();
      assert.deepEqual(after.items[0], { ...first, available: 3 });
      assert.deepEqual(after.items.slice(1), page.items.slice(1));
      assert.equal(await search(), after);
    } finally {
      proxy.freeze(false);
    }
    assert.deepEqual(world.counts, { ...newCatalogCounts(), hits: 3, misses: 1 });
    await world.redis.set(GENERATION_KEY, "of an import");
    assert.deepEqual((await search()).items.length, page.items.length);
    assert.equal(
      world.counts.misses,
      2,
      "nothing is taken for fresh that was read before an import",
    );
  });

  it("are filled by one question to PostgreSQL, however many ask it at once", async () => {
    const pages = await Promise.all(Array.from({ length: 30 }, () => search()));
    assert.equal(new Set(pages.map((page) => JSON.stringify(page))).size, 1);
    assert.deepEqual(world.counts, { ...newCatalogCounts(), misses: 1 });
  });

  it("are stale when an import has written new names, new events, new capacities", async () => {
    const [first] = (await seen()).items;
    const model = record(first?.id);
    await world.import([{ ...model, name: "Renamed for a test" }]);
    assert.ok(namesOf(await search()).includes("Renamed for a test"));
    assert.equal(
      (await world.value<EventView>("catalog.get", { eventId: first?.id })).name,
      "Renamed for a test",
    );
    await seen();
    const added = { ...model, sourceId: "new for a test", name: "New for a test" };
    await world.import([added]);
    events.push(added);
    assert.ok(namesOf(await search()).includes("New for a test"));
    await seen();
    await world.import([{ ...model, totalCapacity: 7 }]);
    const changed = (await search()).items.find(({ id }) => id === first?.id);
    assert.deepEqual(
      [changed?.totalCapacity, changed?.available, changed?.name],
      [7, 7, model.name],
    );
    await world.import([model]);
  });

  it("that a reader keeps after an import, of rows it read before, are not fresh", async () => {
    const [first] = (await seen()).items;
    const model = record(first?.id);
    const keys = [keyOf(TOKYO), eventKey(first?.id ?? "")];
    const old = await world.redis.mget(...keys);
    await world.import([{ ...model, name: "Renamed meanwhile" }]);
    // A slow reader read PostgreSQL before the import and writes to Redis after it.
    for (const [index, key] of keys.entries())
      await world.redis.set(key, old[index] ?? "", "PX", 1_200_000);
    assert.ok(namesOf(await search()).includes("Renamed meanwhile"));
    assert.equal(
      (await world.value<EventView>("catalog.get", { eventId: first?.id })).name,
      "Renamed meanwhile",
    );
    await world.import([model]);
  });

  it("are stale within a minute if an import dies between commit and copies", async () => {
    await seen();
    const [first] = (await search()).items;
    let ttlMs = Infinity;
    await world.database.transaction(async (connection) => {
      // The import waits for a lock: it has begun and not committed.
      await connection.query({
        text: "SELECT FROM event WHERE id = $1 FOR UPDATE",
        values: [first?.id],
      });
      const importing = world.import([{ ...record(first?.id), name: "Never seen" }]);
      await waitFor(async () => (await lockWaits(connection)) > 0);
      ttlMs = await world.redis.pttl(GENERATION_KEY);
      await connection.query({ text: "COMMIT" });
      await importing;
    });
    assert.ok(ttlMs > 0 && ttlMs <= 60_000, `${ttlMs} ms`);
    await world.import([record(first?.id)]);
  });

  it("are trusted only under the server's present run", async () => {
    const page = await seen();
    const [first] = page.items;
    const keys = [keyOf(TOKYO), eventKey(first?.id ?? ""), availableKey(first?.id ?? "")];
    for (const key of keys) {
      const text = (await world.redis.get(key)) ?? "";
      const lie = text
        .replace(first?.name ?? "", "Lie")
        .replace(/"available":\d+/, '"available":1')
        .replace(/"ids":\[[^\]]*\]/, '"ids":[]');
      // A server that restarted from an old snapshot has another run_id than these copies.
      await world.redis.set(key, lie.replace(/"run":"\w+"/, '"run":"another"'), "KEEPTTL");
      assert.deepEqual(await search(), page, key);
    }
  });

  it("of a page end with the first of its events", async () => {
    const params: SearchParams = { limit: 1 };
    const [first] = (await seen(params)).items;
    const endsAtMs = Date.parse(record(first?.id).endsAt);
    try {
      world.setNow(endsAtMs - 5_000);
      await world.redis.flushdb();
      await seen(params);
      const lifeMs = await world.redis.pttl(keyOf(params));
      assert.ok(lifeMs <= 605_000, `fresh for ${lifeMs - 600_000} ms`);
    } finally {
      world.setNow(NOW);
    }
  });

  for (const fault of ["away", "freeze"] as const)
    it(`answer while PostgreSQL is ${fault === "away" ? "down" : "frozen"}, also expired; else a refusal comes within a second`, async () => {
      const page = await seen();
      const [first] = page.items;
      const filters = await world.value<Filters>("catalog.filters", {});
      await waitFor(async () => (await world.redis.exists(pageKey("filters"))) === 1);
      for (const key of [keyOf(TOKYO), pageKey("filters")]) await world.redis.pexpire(key, 590_000);
      await world.redis.set(GENERATION_KEY, "another");
      proxy[fault](true);
      try {
        const asked = async <T>(action: string, params: object): Promise<T> => {
          const startedMs = performance.now();
          const value = await world.call<T>(action, params);
          assert.ok(
            performance.now() - startedMs < 1_500,
            `${action} took ${Math.round(performance.now() - startedMs)} ms`,
          );
          return value as T;
        };
        for (let round = 0; round < 3; round++) {
          assert.deepEqual(await asked("catalog.search", TOKYO), { ok: true, value: page });
          assert.deepEqual(await asked("catalog.get", { eventId: first?.id }), {
            ok: true,
            value: first,
          });
          assert.deepEqual(await asked("catalog.filters", {}), { ok: true, value: filters });
        }
        const TRY_AGAIN = { ok: false, refusal: { code: "TRY_AGAIN" } };
        assert.deepEqual(await asked("catalog.search", { location: "paris" }), TRY_AGAIN);
        // What is left of an event is not made up.
        await world.redis.del(availableKey(first?.id ?? ""));
        assert.deepEqual(await asked("catalog.search", TOKYO), TRY_AGAIN);
      } finally {
        proxy[fault](false);
      }
      assert.ok(world.counts.stale >= 9);
      await waitFor(async () => (await world.call("catalog.search", { location: "paris" })).ok);
      await waitFor(
        async () =>
          (await world.redis.get(keyOf(TOKYO)))?.includes("another") === true ||
          (await search(), false),
      );
    });

  it("spare PostgreSQL nine of ten searches of a Zipf distribution", async (test) => {
    const places = [...new Set(events.map(({ location }) => location))].slice(0, 200);
    const kinds = [...new Set(events.map(({ type }) => type))];
    const asked: SearchParams[] = [
      {},
      ...kinds.map((type) => ({ type })),
      ...places.map((location) => ({ location })),
    ];
    for (const location of places.slice(0, 5))
      for (const type of kinds) asked.push({ location, type });
    for (const word of ["jazz", "rock", "conf", "hamlet", "live", "city", "night", "art"])
      for (const day of ["2027-04-01", "2027-05-01", "2027-06-01"])
        asked.push({ name: word }, { name: word, from: day }, { date: day });
    // The pool may still replace connections that the faults before have cut.
    const probe = () =>
      Promise.all(asked.slice(0, 8).map((one) => world.call("catalog.search", one)));
    await waitFor(async () => (await probe()).every(({ ok }) => ok));
    await world.redis.flushdb();
    Object.assign(world.counts, newCatalogCounts());
    // Zipf's law: the second search is half as frequent as the first, the tenth a tenth.
    const weights = asked.map((_, index) => 1 / (index + 1));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const draw = (): SearchParams => {
      let left = Math.random() * total;
      const index = weights.findIndex((weight) => (left -= weight) <= 0);
      return asked[index] ?? {};
    };
    const clients = Array.from({ length: 4 }, async () => {
      for (let request = 0; request < 2_500; request++) await search(draw());
    });
    await Promise.all(clients);
    // On a busy machine Redis can be slower than its time-out, which this test does not judge.
    const { hits, availabilityMisses, misses, redisSkipped } = world.counts;
    const share = (hits - availabilityMisses) / (hits + misses - redisSkipped);
    test.diagnostic(
      `${asked.length} different searches, ${hits + misses} in all: ` +
        `${(share * 100).toFixed(1)} % answered from Redis alone; ${JSON.stringify(world.counts)}`,
    );
    assert.ok(share > 0.9, `only ${(share * 100).toFixed(1)} %`);
  });
});
