// Searches for a name or a city (`q`), mistyped words, and cities by any of their names.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { deletions, words } from "../../domain/search-words.ts";
import { fold, grams } from "../../domain/text-folding.ts";
import type { EventRecord } from "../../domain/event-record.ts";
import { eventId } from "../../lib/ids.ts";
import type { Filters } from "../../services/catalog/search/filter-options.ts";
import type { SearchPage } from "../../services/catalog/search/find-page.ts";
import type { SearchParams } from "../../services/catalog/search/search-filters.ts";
import { demoEvents } from "../../tools/demo/demo-catalog.ts";
import { type CatalogWorld, openCatalogWorld } from "../support/fixtures/catalog-fixture.ts";

const NOW = Date.parse("2027-03-10T12:00:00Z");

/** Name, city, day, and the type if it is not a concert. */
const EVENTS: readonly [name: string, location: string, date: string, type?: string][] = [
  ["Ludwig van Beethoven: Fidelio", "München", "2027-04-01", "opera"],
  ["Guns N’ Roses", "Munich", "2027-04-02"],
  ["Bierabend", "Muenchen", "2027-04-03"],
  ["Jazz im Keller", "Köln", "2027-04-04"],
  ["Jazz by the River", "Cologne", "2027-04-05"],
  ["Moscow Nights", "Wien", "2027-04-06"],
  ["An der schönen blauen Donau", "Vienna", "2027-04-07"],
  ["Beethoven, live", "New York", "2027-04-08"],
  ["Bethoven Tribute", "Portland, ME", "2027-04-09"],
  ["Abschlusskonzert", "München", "2027-04-10"],
  ["京都音楽祭", "京都", "2027-04-11"],
  ["Ночь джаза", "Москва", "2027-04-12"],
  ["Mark", "Denmark", "2027-04-13"],
  ["Markham's Reading", "Atlantis", "2027-04-14"],
  ["Late Beethoven", "Bonn", "2027-12-24"],
];

describe("searches for a name or a city", () => {
  let world: CatalogWorld;
  let events: EventRecord[];
  before(async () => {
    world = await openCatalogWorld(NOW);
    const [model] = demoEvents(1, NOW, 300);
    assert.ok(model);
    events = EVENTS.map(([name, location, date, type = "concert"], index) => ({
      ...model,
      sourceId: `q-${index}`,
      name,
      location,
      date,
      type,
      startTime: "20:00",
      endTime: "22:00",
      duration: 120,
      timeZone: "UTC",
      startsAt: `${date}T20:00:00.000Z`,
      endsAt: `${date}T22:00:00.000Z`,
    }));
    await world.import(events);
  });
  after(() => world.close());

  /** The names that all pages of a search have, in order. */
  async function found(params: SearchParams, limit = 20): Promise<string[]> {
    const names: string[] = [];
    let cursor: string | null = null;
    do {
      const page: SearchPage = await world.value<SearchPage>("catalog.search", {
        ...params,
        limit,
        ...(cursor === null ? {} : { cursor }),
      });
      names.push(...page.items.map(({ name }) => name));
      cursor = page.nextCursor;
    } while (cursor !== null);
    return names;
  }
  /** The names of these numbers of EVENTS. */
  const named = (...numbers: number[]): string[] => numbers.map((one) => EVENTS[one]?.[0] ?? "");
  const check = async (cases: [SearchParams, number[]][]): Promise<void> => {
    for (const [params, numbers] of cases)
      assert.deepEqual(await found(params), named(...numbers), JSON.stringify(params));
  };

  it("find a city by any of its names, and leave the stored name as it is", async () => {
    const munich = [0, 1, 2, 9];
    await check([
      ...["Munich", "MÜNCHEN", "Muenchen", "Monaco di Baviera", "Мюнхен"].map(
        (location): [SearchParams, number[]] => [{ location }, munich],
      ),
      [{ location: "Koeln" }, [3, 4]],
      [{ location: "cologne" }, [3, 4]],
      [{ location: "Vienne" }, [5, 6]],
      [{ location: "New York City" }, [7]],
      [{ location: "Moscow" }, [11]],
      [{ location: "Kyoto" }, [10]],
      [{ location: "Portland" }, []],
      [{ location: "Portland, ME" }, [8]],
      [{ location: "Munich", name: "konzert" }, [9]],
      [{ location: "Munich", type: "opera" }, [0]],
      [{ location: "Munich", from: "2027-04-03" }, [2, 9]],
    ]);
    const page = await world.value<SearchPage>("catalog.search", { location: "Munich" });
    assert.deepEqual(
      page.items.map(({ location }) => location),
      ["München", "Munich", "Muenchen", "München"],
    );
    assert.deepEqual(await found({ location: "Munich" }, 1), named(...munich), "page by page");
  });

  it("count a city once, in the spelling that most events have", async () => {
    const { locations } = await world.value<Filters>("catalog.filters", {});
    assert.deepEqual(locations[0], { value: "München", count: 4 });
    assert.equal(locations.filter(({ value }) => /m.*n.*ch/i.test(value)).length, 1);
    assert.equal(
      locations.reduce((sum, { count }) => sum + count, 0),
      events.length,
    );
  });

  it("find each word of q in the name or in the city, in the order of dates", async () => {
    await check([
      [{ q: "jazz" }, [3, 4]],
      [{ q: "JAZZ köln" }, [3, 4]],
      [{ q: "cologne keller" }, [3]],
      [{ q: "guns n roses" }, [1]],
      [{ q: "roses guns" }, [1]],
      [{ q: "konzert" }, [9]],
      [{ q: "münch" }, [0, 1, 2, 9]],
      [{ q: "munich" }, [0, 1, 2, 9]],
      [{ q: "Monaco di Baviera bier" }, [2]],
      [{ q: "wien nights" }, [5]],
      [{ q: "moscow" }, [5, 11]],
      [{ q: "音楽" }, [10]],
      [{ q: "Kyoto" }, [10]],
      [{ q: "джаза москва" }, [11]],
      [{ q: "york" }, [7]],
      [{ q: "new york live" }, [7]],
      [{ q: "zzyzx" }, []],
      [{ q: "jazz zzyzx" }, []],
      [{ q: "%" }, []],
      [{ q: "n" }, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14]],
    ]);
  });

  it("find words of five letters in which one letter is wrong", async () => {
    const beethoven = [0, 7, 8, 14];
    await check([
      ...["Beethoven", "bethoven", "beehtoven", "beethofen", "beethoveen"].map(
        (q): [SearchParams, number[]] => [
          { q },
          // "Bethoven" is two letters from two of them.
          q === "beehtoven" || q === "beethofen" || q === "beethoveen" ? [0, 7, 14] : beethoven,
        ],
      ),
      [{ q: "betoven" }, [8]],
      [{ q: "muncih" }, [0, 1, 2, 9]],
      [{ q: "Colonge" }, [4]],
      [{ q: "beehtoven yrok" }, []],
      [{ q: "beehtoven yorrk" }, [7]],
      [{ q: "bierabent muenchne" }, [2]],
      [{ q: "джазы" }, [11]],
      [{ q: "jazy" }, []],
      // Not "Denmark" and "Markham": what is corrected is a whole word.
      [{ q: "marks" }, [12]],
    ]);
    assert.deepEqual(await found({ q: "bethoven" }, 1), named(...beethoven), "page by page");
  });

  it("combine q with the other filters", async () => {
    await check([
      [{ q: "beehtoven", type: "concert" }, [7, 14]],
      [{ q: "beehtoven", location: "München" }, [0]],
      [{ q: "beehtoven", from: "2027-04-02", to: "2027-04-30" }, [7]],
      [{ q: "beehtoven", date: "2027-04-08" }, [7]],
      [{ q: "beethoven", name: "late" }, [14]],
      [{ q: "munich", name: "munich" }, []],
    ]);
  });

  it("refuse a blank and a too long q", async () => {
    for (const q of ["", " ", "\t\n", "x".repeat(101)])
      await assert.rejects(world.call("catalog.search", { q }), { type: "VALIDATION_ERROR" });
    assert.equal((await found({ q: "x".repeat(100) })).length, 0);
    assert.equal((await found({ q: "a ".repeat(50).trim() })).length > 0, true);
  });

  it("are answered from copies until an import, whose words they then know", async () => {
    const before = { ...world.counts };
    assert.deepEqual(await found({ q: "fidelyo" }), named(0));
    assert.deepEqual(await found({ q: " FIDELYO " }), named(0));
    assert.deepEqual(await found({ q: "tosca" }), []);
    assert.deepEqual(await found({ q: "tosca", type: "concert" }), []);
    assert.deepEqual(
      [world.counts.hits - before.hits, world.counts.misses - before.misses],
      [1, 3],
      "one answer for all spellings, one for each question",
    );
    const [model] = events;
    assert.ok(model);
    await world.import([{ ...model, sourceId: "new", name: "Fidelyon", date: "2027-04-01" }]);
    assert.deepEqual((await found({ q: "fidelyo" })).sort(), [...named(0), "Fidelyon"].sort());
    await world.import([{ ...model, sourceId: "new", name: "Tosca", date: "2027-04-01" }]);
    assert.deepEqual(await found({ q: "tosca" }), ["Tosca"]);
    assert.deepEqual(await found({ q: "tosac" }), ["Tosca"]);
    assert.deepEqual(await found({ q: "fidelyo" }), named(0));
  });

  it("find events that an older release has stored, under their own spelling at least", async () => {
    const [munich, jazz] = [events[9], events[3]];
    assert.ok(munich && jazz);
    await world.database.query({
      text: "UPDATE event SET city_key = NULL WHERE id = ANY($1::uuid[])",
      values: [[eventId(munich), eventId(jazz)]],
    });
    await world.value("catalog.flush", {});
    await check([
      [{ location: "münchen", name: "konzert" }, [9]],
      [{ location: "Munich", name: "konzert" }, []],
      [{ q: "münchen konzert" }, [9]],
    ]);
    assert.deepEqual(await world.import([munich, jazz]), [
      { outcome: "updated" },
      // Köln is the key of its city.
      { outcome: "unchanged" },
    ]);
    await check([[{ location: "Munich", name: "konzert" }, [9]]]);
  });

  it("find by word what a node of the last release writes, which keeps no words", async () => {
    const [model] = events;
    assert.ok(model);
    const text = `INSERT INTO event (id, name, name_key, type, type_key, location, location_key,
        country, url, date, start_time, end_time, duration, time_zone, starts_at, ends_at,
        total_capacity, capacity, status, source, source_id)
      SELECT gen_random_uuid(), $2, $2, type, type_key, 'Brno', 'brno', country, url, date,
        start_time, end_time, duration, time_zone, starts_at, ends_at, total_capacity, capacity,
        status, source, $2 FROM event WHERE id = $1`;
    await world.import([{ ...model, sourceId: "new", name: "Cavalleria", date: "2027-04-01" }]);
    await world.database.query({ text, values: [eventId(model), "cavalleria rusticana"] });
    await world.value("catalog.flush", {});
    assert.deepEqual(await found({ q: "rusticana" }), ["cavalleria rusticana"]);
    assert.deepEqual(await found({ q: "rusticano" }), ["cavalleria rusticana"]);
    // A word that others have hides those that are not kept.
    await world.database.query({
      text: "UPDATE event SET name = $1, name_key = $1 WHERE name_key = 'cavalleria rusticana'",
      values: ["cavallerias pagliacci"],
    });
    await world.value("catalog.flush", {});
    assert.deepEqual((await found({ q: "cavalleri" })).length, 2);
    assert.deepEqual(await found({ q: "paliacci" }), ["cavallerias pagliacci"]);
    await world.database.query({
      text: "DELETE FROM event WHERE name_key = 'cavallerias pagliacci'",
    });
  });

  it("keep the same words, deletions and keys in the database as in the engine", async () => {
    const texts = [
      "",
      "a",
      ...events.flatMap(({ name, location }) => [fold(name), fold(location)]),
    ];
    texts.push("“rock”—am-ring … ac/dc {2027}", "ホール・ライブ。コンサート", "été 😀😀😀😀 naïve");
    type Row = { key: string; words: string[]; cut: string[]; grams: string[] };
    const rows = await world.database.query<Row>({
      text: `SELECT key, ARRAY(SELECT event_words(key)) AS words,
          event_word_deletions(key) AS cut, event_word_grams(key) AS grams
        FROM unnest($1::text[]) AS key`,
      values: [texts],
    });
    assert.equal(rows.length, texts.length);
    for (const row of rows) {
      assert.deepEqual(row.words.sort(), words(row.key).sort(), row.key);
      assert.deepEqual(row.cut.sort(), deletions(row.key).sort(), row.key);
      assert.deepEqual(row.grams.sort(), grams(row.key).sort(), row.key);
    }
    const [keys] = await world.database.query<{ keys: string[] }>({
      text: `SELECT event_week_city('2027-03-10', 'jazz, live', 'koln', NULL, 'gig') AS keys`,
    });
    for (const key of ["=gig", "k", "kol", "ln", "~jazz", "~live", "~koln"])
      assert.ok(keys?.keys.includes(`2983${key}`), key);
    assert.ok(!keys?.keys.includes("2983jaz"));
  });
});
