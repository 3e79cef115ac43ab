import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mutated } from "../../tools/fuzz/feeds/mutate.ts";
import { differenceOf, fuzzFeeds } from "../../tools/fuzz/feeds/run.ts";
import { readWithIcalJs } from "../../tools/fuzz/feeds/second-reader.ts";
import { seededRandom } from "../../tools/testing/seeded-random.ts";
import { calendarOf, readOneEvent, veventOf } from "../support/fixtures/feeds.ts";

const SEED = 20261130;

describe("fuzz of the readers of feeds", () => {
  it("400 mutated calendars throw nothing, and give no moment that ical.js does not", async () => {
    const report = await fuzzFeeds(400, SEED);
    assert.deepEqual(report.faults, []);
    assert.ok(report.compared > 200 && report.refused > 50, JSON.stringify(report));
  });

  it("notices a moment that is an hour off, at the start and at the end", async () => {
    const event = await readOneEvent(
      calendarOf(veventOf("UID:1", "SUMMARY:Gig", "DTSTART:20270601T180000Z", "DURATION:PT2H")),
    );
    const ms = Date.parse("2027-06-01T18:00Z");
    const [start, end, off] = [{ ms }, { ms: ms + 7_200_000 }, { ms: ms + 3_600_000 }];
    assert.equal(differenceOf(event, { uid: "1", start, end }), undefined);
    assert.match(differenceOf(event, { uid: "1", start: off, end }) ?? "", /^1 starts/);
    assert.match(differenceOf(event, { uid: "1", start, end: off }) ?? "", /^1 ends/);
  });

  it("mutates alike by the same seed, and else differently", () => {
    const calendar = calendarOf(veventOf("UID:1", "SUMMARY:Gig", "DTSTART:20270601T180000Z"));
    const copies = [1, 1, 2, 3, 4].map((seed) => mutated(calendar, seededRandom(seed)));
    assert.equal(copies[0], copies[1]);
    assert.equal(new Set(copies).size, 4);
  });

  it("has a second reader that knows zones, durations and whole days", () => {
    const events = readWithIcalJs(
      calendarOf([
        ...veventOf("UID:1", "DTSTART;TZID=Europe/Berlin:20270601T200000", "DURATION:PT2H"),
        ...veventOf("UID:2", "DTSTART;VALUE=DATE:20270601"),
        ...veventOf("UID:3", "DTSTART:20270601T200000"),
      ]),
    );
    const ms = Date.parse("2027-06-01T18:00Z");
    assert.deepEqual(events, [
      { uid: "1", start: { ms }, end: { ms: ms + 7_200_000 } },
      { uid: "2", start: { local: "2027-06-01", day: true } },
      { uid: "3", start: { local: "2027-06-01T20:00", day: false } },
    ]);
    assert.equal(readWithIcalJs("no calendar"), undefined);
  });
});
