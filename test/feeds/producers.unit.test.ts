// The files are written after the known output of these producers, with made-up events.
import assert from "node:assert/strict";
import { createReadStream, readdirSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { openInput } from "../../tools/feeds/input.ts";
import { readFeed } from "../../tools/feeds/read-feed.ts";
import { collect } from "../support/http/collect-stream.ts";

const FOLDER = new URL("../../tools/fuzz/feeds/producers/", import.meta.url);
const REPEATS = "it repeats (RRULE): list each occurrence as an event of its own";

const EXPECTED: Record<string, string[]> = {
  "apple.ics": [
    "Reading: “The Long Shore”: 2027-04-10T23:00 to 2027-04-11T01:00 America/New_York | event | scheduled | Portland, ME | 5F6C2A4E-0D5B-4E0E-9B3D-0C7E3C9A1B11",
    "Night of the long hour: 2027-11-07T04:30 to 2027-11-07T07:30 America/New_York | event | scheduled | New York | 5F6C2A4E-0D5B-4E0E-9B3D-0C7E3C9A1B12",
  ],
  "eventbrite.json": [
    "Food & Wine Weekend: 2027-09-10T22:00 to 2027-09-13T02:00 America/New_York | festival | scheduled | Portland, ME | food & wine weekend|2027-09-10|portland, me",
    "Founders’ Breakfast: 2027-03-02T07:30 to 2027-03-02T09:00 UTC | conference | postponed | Online | founders' breakfast|2027-03-02|online",
  ],
  "google.ics": [
    "Low Tide: 2027-06-12T19:00 to 2027-06-12T22:00 Europe/Amsterdam | event | scheduled | Amsterdam | 3qk8g1club@google.com",
    "Summer Weekend: 2027-07-01T07:00 to 2027-07-03T16:00 Europe/Amsterdam | event | scheduled | Online | 7h2festival@google.com",
    `Jam Session: ${REPEATS}`,
    "Jam Session (late): 2027-09-21T19:00 to 2027-09-21T22:00 Europe/Amsterdam | event | scheduled | Online | 9weekly@google.com 20270921T200000",
  ],
  "ical-js.ics": [
    "Milonga: 2027-06-06T01:00 to 2027-06-06T06:00 America/Argentina/Buenos_Aires | Dance, tango | scheduled | Buenos Aires | d1b7c7c4-0d2e-4d53-9c4c-7a4a3c9c0001",
    "Evening in the fast: 2027-02-15T20:00 to 2027-02-15T22:00 Africa/Casablanca | event | scheduled | Casablanca | d1b7c7c4-0d2e-4d53-9c4c-7a4a3c9c0002",
  ],
  "ics-py.ics": [
    "Pub quiz: 2027-02-12T19:00 to 2027-02-12T20:30 Europe/Prague | event | scheduled | Prague | b7c1d1f0-5e0b-4d8e-8b4e-0f3f0d1f0001@b7c1.org",
    "Two whole days: 2027-03-01T08:00 to 2027-03-02T17:00 Europe/Prague | event | scheduled | Prague | b7c1d1f0-5e0b-4d8e-8b4e-0f3f0d1f0002@b7c1.org",
    "A day over the change of clocks: 2027-03-27T19:00 to 2027-03-28T18:00 Europe/Prague | event | scheduled | Online | b7c1d1f0-5e0b-4d8e-8b4e-0f3f0d1f0003@b7c1.org",
  ],
  "indico.ics": [
    "Workshop on Detectors: 2027-03-15T08:00 to 2027-03-17T16:00 UTC | Physics | scheduled | 500/1-001 - Main Auditorium (Geneva) | indico-event-1234567@indico.example",
    "Seminar & drinks: 2027-03-20T15:00 to 2027-03-20T17:00 Europe/Zurich | event | scheduled | Geneva | indico-event-1234568@indico.example",
  ],
  "modern-events-calendar.ics": [
    "Salsa & Bachata: 2027-04-24T18:00 to 2027-04-24T20:00 Europe/Madrid | Dance | scheduled | Madrid | MEC-5f93f983524def3dca464469d2cf9f3e@dance.example 20270424T180000Z",
    "Salsa & Bachata: 2027-05-01T18:00 to 2027-05-01T20:00 Europe/Madrid | event | scheduled | Madrid | MEC-5f93f983524def3dca464469d2cf9f3e@dance.example 20270501T180000Z",
  ],
  "outlook.ics": [
    "Kammermusik im Saal: 2027-11-02T18:30 to 2027-11-02T20:30 Europe/Berlin | event | scheduled | München | 040000008200E00074C5B7101A82E00800000000E0A1",
    "Guest lecture: 2027-03-15T22:00 to 2027-03-15T23:30 Etc/GMT+4 | event | cancelled | Room 12 | 040000008200E00074C5B7101A82E00800000000E0A2",
    "Open day: 2027-05-08T07:00 to 2027-05-08T16:00 Europe/Berlin | event | scheduled | Berlin | 040000008200E00074C5B7101A82E00800000000E0A3",
  ],
  "pretalx.ics": [
    "Opening - Ada Example: 2027-08-20T08:00 to 2027-08-20T08:45 Europe/Vienna | event | scheduled | Main Hall | pretalx-democon-ABCDEF@talks.example",
    "Second talk - Bo Sample, Cy Test: 2027-08-20T09:00 to 2027-08-20T09:30 Europe/Vienna | event | scheduled | Main Hall | pretalx-democon-GHIJKL@talks.example",
  ],
  "the-events-calendar.ics": [
    "Rock & Roll – The Hits: 2027-05-19T18:30 to 2027-05-19T21:00 Europe/London | Concert | scheduled | Leeds | 10001-1810755000-1810764000@townhall.example",
    "Winter Fair: 2027-11-20T09:00 to 2027-11-20T18:00 Europe/London | event | scheduled | Leeds | 10002-1826668800-1826755199@townhall.example",
    "New Year’s Concert: 2027-01-01T19:00 to 2027-01-01T21:00 Europe/London | event | scheduled | Leeds | 10003-1798830000-1798837200@townhall.example",
  ],
};

describe("feeds of known producers", () => {
  for (const file of readdirSync(FOLDER))
    it(`${file} is read with the right values`, async () => {
      const path = fileURLToPath(new URL(file, FOLDER));
      const input = await openInput("-", createReadStream(path));
      const found = (await collect(readFeed(input.chunks, {}))).map((record) => {
        if ("reason" in record) return `${record.name}: ${record.reason}`;
        if ("repeats" in record) return `${record.name}: ${record.repeats}`;
        if ("cancels" in record) return `${record.name}: cancels ${record.cancels.id}`;
        const { name, type, startsAt, endsAt, timeZone, status, location, sourceId } = record.event;
        const span = `${startsAt.slice(0, 16)} to ${endsAt.slice(0, 16)} ${timeZone}`;
        return [`${name}: ${span}`, type, status, location, sourceId].join(" | ");
      });
      assert.deepEqual(found, EXPECTED[file]);
    });

  it("are all expected", () => {
    assert.deepEqual(Object.keys(EXPECTED).sort(), readdirSync(FOLDER).sort());
  });
});
