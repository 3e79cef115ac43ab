import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { openInput } from "../../tools/feeds/input.ts";
import { readFeed } from "../../tools/feeds/read-feed.ts";
import { collect } from "../support/http/collect-stream.ts";

const FOLDER = new URL("../data/field-feeds/", import.meta.url);
const BROKEN = "has broken characters (the feed is not UTF-8)";
const REPEATS = "it repeats (RRULE): list each occurrence as an event of its own";
const HOUR = (name: string): string => `${name}: 2027-01-05T19:00Z 60 min, UTC, scheduled`;

/** What a person expects of each file. */
const EXPECTED: Record<string, string[]> = {
  "f10-quoted-zone-with-colon.ics": [
    "Outlook: 2027-07-23T08:00Z 480 min, Europe/Berlin, scheduled",
  ],
  "f11-alarm-with-duration.ics": [
    "With an alarm: 2027-01-26T13:30Z 210 min, Europe/Berlin, scheduled, Berlin",
  ],
  "f12-latin1.ics": [`Caf\uFFFD am K\uFFFDnigsplatz: SUMMARY ${BROKEN}`],
  "f13-calendar-utc.ics": [
    "Early market: 2027-07-26T21:00Z 120 min, Pacific/Auckland, scheduled, " +
      "Town hall, Waihi, New Zealand",
  ],
  "f14-entities.ics": [
    "Rock & Roll – Live: 2027-01-26T13:30Z 210 min, Europe/Paris, scheduled, Paris",
  ],
  "f16-day-of-23-hours.ics": [
    "One day over the change of clocks: 2027-03-27T19:00Z 1380 min, Europe/Berlin, scheduled",
    "Two whole days: 2027-06-10T07:00Z 1980 min, Europe/Berlin, scheduled, Berlin",
  ],
  "f2-byday-spaces.ics": [HOUR("Before"), `Bad one: ${REPEATS}`, HOUR("After")],
  "f2-empty-rrule.ics": [HOUR("Before"), `Bad one: ${REPEATS}`, HOUR("After")],
  "f3-customized-time-zone.ics": ["Summer night: 2027-07-23T18:00Z 120 min, Etc/GMT-2, scheduled"],
  "f4-cancel-1.ics": ["Gig: 2027-06-01T18:00Z 480 min, Europe/Berlin, scheduled, Berlin"],
  "f4-cancel-2.ics": ["Gig: 2027-06-01T18:00Z 480 min, Europe/Berlin, cancelled, Berlin"],
  "f4-status-lower-case.ics": ["Off: 2027-01-05T19:00Z 480 min, UTC, cancelled"],
  "f5-address-region.json": [
    "Show: 2027-09-02T00:00Z 480 min, America/New_York, scheduled, Portland, ME",
    "Show: 2027-09-02T01:00Z 480 min, America/Chicago, scheduled, Springfield, MO",
  ],
  "f7-cr-cr-lf.ics": [HOUR("One"), HOUR("Two")],
  "f8-later-sequence.ics": [
    "Gig: record 2 has a later SEQUENCE",
    "Gig, new date: 2027-01-28T10:00Z 480 min, UTC, scheduled",
  ],
  "f8-same-uid.ics": [
    "Opening: 2027-01-26T10:00Z 60 min, UTC, scheduled",
    "Talk: 2027-01-26T12:00Z 60 min, UTC, scheduled",
    "Closing: 2027-01-27T12:00Z 60 min, UTC, scheduled",
  ],
  "f9-no-length.ics": ["Doors open: 2027-01-26T13:30Z 270 min, UTC, scheduled"],
};

describe("feeds from the field", () => {
  for (const file of readdirSync(FOLDER).filter((name) => !name.endsWith(".md")))
    it(`${file} is read as people expect`, async () => {
      const bytes = readFileSync(fileURLToPath(new URL(file, FOLDER)));
      const input = await openInput("-", Readable.from([bytes]));
      const found = (await collect(readFeed(input.chunks, {}))).map((record) => {
        if ("reason" in record) return `${record.name}: ${record.reason}`;
        if ("repeats" in record) return `${record.name}: ${record.repeats}`;
        if ("cancels" in record) return `${record.name}: cancels ${record.cancels.id}`;
        const { name, startsAt, duration, timeZone, status, location } = record.event;
        const place = location === "Online" ? "" : `, ${location}`;
        return `${name}: ${startsAt.slice(0, 16)}Z ${duration} min, ${timeZone}, ${status}${place}`;
      });
      assert.deepEqual(found, EXPECTED[file]);
    });

  it("are all expected", () => {
    const files = readdirSync(FOLDER).filter((name) => !name.endsWith(".md"));
    assert.deepEqual(Object.keys(EXPECTED).sort(), files.sort());
  });
});
