import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FeedError } from "../../tools/feeds/feed-error.ts";
import { collect } from "../support/http/collect-stream.ts";
import type { FeedRecord } from "../../tools/feeds/feed-record.ts";
import { readFeed } from "../../tools/feeds/read-feed.ts";
async function read(text: string): Promise<FeedRecord[]> {
  const pieces = async function* (): AsyncGenerator<string> {
    for (let start = 0; start < text.length; start += 11) yield text.slice(start, start + 11);
  };
  return collect(readFeed(pieces(), {}));
}
/** The fields that say most of each record, or its reason. */
async function facts(text: string): Promise<unknown[]> {
  return (await read(text)).map((record) => {
    if ("reason" in record) return `${record.name}: ${record.reason}`;
    if (!("event" in record)) return `${record.name}: ${JSON.stringify(record)}`;
    const { name, type, location, country, timeZone, startsAt, duration, totalCapacity, sourceId } =
      record.event;
    return [name, type, location, country, timeZone, startsAt, duration, totalCapacity, sourceId];
  });
}

async function statuses(text: string): Promise<unknown[]> {
  return (await read(text)).map((record) => ("event" in record ? record.event.status : record));
}

const GIG = {
  "@context": "https://schema.org",
  "@type": "MusicEvent",
  "@id": "https://hall.example/gig",
  name: "Gig",
  startDate: "2027-05-05T20:00:00+02:00",
  endDate: "2027-05-05T23:00:00+02:00",
  location: {
    "@type": "Place",
    name: "Hall",
    address: { "@type": "PostalAddress", addressLocality: "Zürich", addressCountry: "CH" },
  },
  maximumAttendeeCapacity: 900,
};
const GIG_FACTS = [
  "Gig",
  "concert",
  "Zürich",
  "CH",
  "Europe/Zurich",
  "2027-05-05T18:00:00.000Z",
  180,
  900,
  "https://hall.example/gig",
];

describe("schema.org events", () => {
  it("come alone, in arrays, in graphs, in lines and in item lists", async () => {
    const forms = [
      GIG,
      [GIG],
      { "@context": "https://schema.org", "@graph": [GIG] },
      { "@type": "ItemList", itemListElement: [{ "@type": "ListItem", position: 1, item: GIG }] },
    ];
    for (const form of forms) assert.deepEqual(await facts(JSON.stringify(form)), [GIG_FACTS]);
    assert.equal((await read(`${JSON.stringify(GIG)}\n${JSON.stringify([GIG])}\n`)).length, 2);
  });

  it("name their place in many ways", async () => {
    const place = async (location: unknown): Promise<unknown[]> => {
      const [record] = await read(JSON.stringify([{ ...GIG, location }]));
      assert.ok(record !== undefined && "event" in record, JSON.stringify(record));
      return [record.event.location, record.event.country, record.event.timeZone];
    };
    assert.deepEqual(await place("Jazz Bar, Hauptstr. 5, 10115 Berlin, Germany"), [
      "Berlin",
      "Germany",
      "Europe/Berlin",
    ]);
    assert.deepEqual(
      await place("Moody Theater, 310 W Willie Nelson Blvd, Austin, TX 78701, USA"),
      ["Austin, TX", "USA", "America/Chicago"],
    );
    assert.deepEqual(
      await place({ "@type": "Place", address: "1 Rue de Rivoli, 75001 Paris, France" }),
      ["Paris", "France", "Europe/Paris"],
    );
    assert.deepEqual(await place({ "@type": "Place", name: "Grange, near the river" }), [
      "Grange, near the river",
      null,
      "UTC",
    ]);
    assert.deepEqual(
      await place([{ "@type": "VirtualLocation", url: "https://x.example" }, GIG.location]),
      ["Zürich", "CH", "Europe/Zurich"],
    );
    assert.deepEqual(await place({ "@type": "VirtualLocation", url: "https://x.example" }), [
      "Online",
      null,
      "UTC",
    ]);
    assert.deepEqual(await place(undefined), ["Online", null, "UTC"]);
  });

  it("have times with and without an offset, whole days, or a duration", async () => {
    const span = async (fields: object): Promise<unknown[]> => {
      const [record] = await read(JSON.stringify([{ ...GIG, endDate: undefined, ...fields }]));
      assert.ok(record !== undefined && "event" in record, JSON.stringify(record));
      return [record.event.startsAt, record.event.duration];
    };
    assert.deepEqual(await span({ startDate: "2027-05-05T20:00" }), [
      "2027-05-05T18:00:00.000Z",
      480,
    ]);
    assert.deepEqual(await span({ startDate: "2027-05-05T20:00:00+0200", duration: "PT2H30M" }), [
      "2027-05-05T18:00:00.000Z",
      150,
    ]);
    assert.deepEqual(await span({ startDate: "2027-05-05", endDate: "2027-05-06" }), [
      "2027-05-05T07:00:00.000Z",
      1_440 + 540,
    ]);
  });

  it("are scheduled, postponed or cancelled", async () => {
    const read = (eventStatus: unknown) => statuses(JSON.stringify([{ ...GIG, eventStatus }]));
    assert.deepEqual(await read(undefined), ["scheduled"]);
    assert.deepEqual(await read("https://schema.org/EventCancelled"), ["cancelled"]);
    assert.deepEqual(await read(["EventPostponed"]), ["postponed"]);
    assert.deepEqual(await read("schema:EventRescheduled"), ["scheduled"]);
    assert.deepEqual(await read("EventMovedOnline"), ["scheduled"]);
  });

  it("are refused with a reason", async () => {
    const reason = async (fields: object): Promise<unknown> =>
      (await facts(JSON.stringify([{ ...GIG, ...fields }])))[0];
    assert.equal(await reason({ "@type": "Person" }), "Gig: @type Person: not an Event");
    assert.equal(
      await reason({ endDate: "2027-05-05T19:00:00+02:00" }),
      "Gig: it ends before it starts",
    );
    assert.equal(await reason({ startDate: undefined }), "Gig: startDate is missing");
  });
});

const calendar = (...events: string[]): string =>
  [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "X-WR-TIMEZONE:Europe/Madrid",
    ...events,
    "END:VCALENDAR",
    "",
  ].join("\r\n");
const vevent = (...lines: string[]): string =>
  ["BEGIN:VEVENT", ...lines, "END:VEVENT"].join("\r\n");

describe("calendars", () => {
  it("give events with their own zone, with the city's, and with the calendar's", async () => {
    const found = await facts(
      calendar(
        vevent(
          "UID:1",
          "SUMMARY;LANGUAGE=fr:Fête\\, oui",
          "DTSTART;TZID=Europe/Paris:20270328T193000",
          "DTEND;TZID=Europe/Paris:20270328T213000",
          "CATEGORIES:party",
        ),
        vevent(
          "UID:2",
          "SUMMARY:Gig",
          "DTSTART:20270505T180000Z",
          "DURATION:PT3H",
          "LOCATION:Hall\\, Berlin\\, Germany",
        ),
        vevent(
          "UID:3",
          "SUMMARY:Floating, in a very long line that is",
          "  folded",
          "DTSTART:20270505T200000",
          "LOCATION:Somewhere",
        ),
        vevent(
          "UID:4",
          "SUMMARY:Windows",
          'DTSTART;TZID="W. Europe Standard Time":20270628T100000',
        ),
        vevent("UID:5", "SUMMARY:Days", "DTSTART;VALUE=DATE:20270628", "DTEND;VALUE=DATE:20270630"),
      ),
    );
    assert.deepEqual(found, [
      [
        "Fête, oui",
        "party",
        "Online",
        null,
        "Europe/Paris",
        "2027-03-28T17:30:00.000Z",
        120,
        500,
        "1",
      ],
      [
        "Gig",
        "event",
        "Berlin",
        "Germany",
        "Europe/Berlin",
        "2027-05-05T18:00:00.000Z",
        180,
        500,
        "2",
      ],
      [
        "Floating, in a very long line that is folded",
        "event",
        "Somewhere",
        null,
        "Europe/Madrid",
        "2027-05-05T18:00:00.000Z",
        480,
        500,
        "3",
      ],
      [
        "Windows",
        "event",
        "Online",
        null,
        "Europe/Berlin",
        "2027-06-28T08:00:00.000Z",
        480,
        500,
        "4",
      ],
      [
        "Days",
        "event",
        "Online",
        null,
        "Europe/Madrid",
        "2027-06-28T07:00:00.000Z",
        1_440 + 540,
        500,
        "5",
      ],
    ]);
  });

  it("have cancelled events", async () => {
    const event = (status: string) =>
      vevent(`UID:${status}`, "SUMMARY:Off", status, "DTSTART:20270505T180000Z");
    assert.deepEqual(
      await statuses(
        calendar(event("STATUS:CANCELLED"), event("STATUS:CONFIRMED"), event("STATUS:TENTATIVE")),
      ),
      ["cancelled", "scheduled", "scheduled"],
    );
  });

  it("refuse repeating and unreadable events; a changed occurrence is an event", async () => {
    const found = await facts(
      calendar(
        vevent("UID:1", "SUMMARY:Weekly", "DTSTART:20270505T180000Z", "RRULE:FREQ=WEEKLY"),
        vevent(
          "UID:1",
          "SUMMARY:Moved",
          "RECURRENCE-ID:20270512T180000Z",
          "DTSTART:20270513T180000Z",
        ),
        vevent("UID:3", "SUMMARY:When", "DTSTART:tomorrow"),
        vevent("UID:4", "SUMMARY:Where", "DTSTART;TZID=Nowhere/City:20270505T180000"),
        vevent("UID:5", "SUMMARY:Never"),
        vevent("UID:6", "DTSTART:20270505T180000Z"),
      ),
    );
    assert.deepEqual(found, [
      "Weekly: it repeats (RRULE): list each occurrence as an event of its own",
      [
        "Moved",
        "event",
        "Online",
        null,
        "Europe/Madrid",
        "2027-05-13T18:00:00.000Z",
        480,
        500,
        "1 20270512T180000Z",
      ],
      "When: DTSTART is not a date",
      'Where: time zone "Nowhere/City" is not known',
      "Never: DTSTART is missing",
      "(no name): SUMMARY is missing",
    ]);
  });

  it("that break off are unreadable from there", async () => {
    await assert.rejects(read("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n"), {
      constructor: FeedError,
      message: /breaks off in an event, at line 3/,
    });
  });
});
