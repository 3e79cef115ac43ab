import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  calendarOf,
  GIG,
  GIG_AT_SIX,
  gigAt,
  gigOf,
  readBytes,
  readOneEvent,
  readReason,
  readRecords,
  readShort,
  veventOf,
} from "../support/fixtures/feeds.ts";

const statusOf = async (lines: string[]): Promise<string> =>
  (await readOneEvent(calendarOf(lines))).status;

describe("lengths of calendar events", () => {
  const read = (...lines: string[]): Promise<string[]> => readShort(calendarOf(gigAt(...lines)));
  const BERLIN = "DTSTART;TZID=Europe/Berlin:";
  it("are nominal in days and weeks, exact in hours", async () => {
    const from = `${BERLIN}20270327T200000`;
    assert.deepEqual(await read(from, "DURATION:P1D"), [
      "Gig: 2027-03-27T19:00 to 2027-03-28T18:00 Europe/Berlin",
    ]);
    assert.deepEqual(await read(from, "DURATION:PT24H"), [
      "Gig: 2027-03-27T19:00 to 2027-03-28T19:00 Europe/Berlin",
    ]);
    assert.deepEqual(await read(from, "DURATION:P1W"), [
      "Gig: 2027-03-27T19:00 to 2027-04-03T18:00 Europe/Berlin",
    ]);
    assert.deepEqual(await read(`${BERLIN}20271030T200000`, "DURATION:P1DT2H"), [
      "Gig: 2027-10-30T18:00 to 2027-10-31T21:00 Europe/Berlin",
    ]);
    assert.deepEqual(await read("DTSTART:20270327T200000", "LOCATION:Berlin", "DURATION:P1D"), [
      "Gig: 2027-03-27T19:00 to 2027-03-28T18:00 Europe/Berlin",
    ]);
    assert.deepEqual(await read("DTSTART:20270327T190000Z", "LOCATION:Berlin", "DURATION:P1D"), [
      "Gig: 2027-03-27T19:00 to 2027-03-28T19:00 Europe/Berlin",
    ]);
  });

  it("of whole days end in the evening of the last one", async () => {
    const days = "Gig: 2027-06-10T07:00 to 2027-06-11T16:00 Europe/Berlin";
    for (const end of ["DTEND;VALUE=DATE:20270612", "DURATION:P2D"])
      assert.deepEqual(await read("DTSTART;VALUE=DATE:20270610", end, "LOCATION:Berlin"), [days]);
    for (const end of [
      "DTEND;VALUE=DATE:20270611",
      "DTEND;VALUE=DATE:20270610",
      "DURATION:P1D",
      "DURATION:P0D",
    ])
      assert.deepEqual(await read("DTSTART;VALUE=DATE:20270610", end, "LOCATION:Berlin"), [
        "Gig: 2027-06-10T07:00 to 2027-06-10T16:00 Europe/Berlin",
      ]);
  });

  it("of nothing mean that the end is not known", async () => {
    for (const end of [
      "DTEND;TZID=Europe/Berlin:20270601T200000",
      "DTEND:20270601T180000Z",
      "DTEND:20270601T180030Z",
      "DURATION:PT0S",
      "DURATION:P0D",
    ])
      assert.deepEqual(await readShort(calendarOf(gigOf(end))), [GIG_AT_SIX], end);
    const options = { durationMinutes: 60 };
    assert.deepEqual(await readShort(calendarOf(gigOf("DURATION:PT0S")), options), [
      "Gig: 2027-06-01T18:00 to 2027-06-01T19:00 Europe/Berlin",
    ]);
  });

  it("take the zone of the start for an end without one", async () => {
    assert.deepEqual(await readShort(calendarOf(gigOf("DTEND:20270601T220000"))), [
      "Gig: 2027-06-01T18:00 to 2027-06-01T20:00 Europe/Berlin",
    ]);
    assert.deepEqual(
      await readShort(calendarOf(gigOf("DTEND;TZID=Europe/London:20270601T220000"))),
      ["Gig: 2027-06-01T18:00 to 2027-06-01T21:00 Europe/Berlin"],
    );
  });
});

describe("versions and states of calendar events", () => {
  it("are cancelled by STATUS or METHOD, in any case", async () => {
    for (const status of ["CANCELLED", "cancelled", "Canceled"])
      assert.equal(await statusOf(gigOf(`STATUS:${status}`)), "cancelled");
    assert.equal(await statusOf(["METHOD:cancel", ...gigOf()]), "cancelled");
    assert.equal(await statusOf(["METHOD:CANCEL", ...gigOf("STATUS:CONFIRMED")]), "cancelled");
    assert.equal(await statusOf(gigOf("status:Postponed")), "postponed");
    assert.equal(await statusOf(["METHOD:REQUEST", ...gigOf("STATUS:TENTATIVE")]), "scheduled");
    const two =
      calendarOf(["METHOD:CANCEL", ...gigOf()]) + calendarOf(veventOf("UID:2", ...GIG.slice(1)));
    const states = (await readRecords(two)).map(
      (record) => "event" in record && record.event.status,
    );
    assert.deepEqual(states, ["cancelled", "scheduled"]);
  });

  it("are cancelled by UID alone under METHOD:CANCEL, whatever else is missing", async () => {
    const found = async (...events: string[][]): Promise<unknown[]> =>
      (await readRecords(calendarOf(["METHOD:CANCEL", ...events.flat()]))).map((record) =>
        "cancels" in record
          ? record.cancels.id
          : "event" in record
            ? record.event.status
            : "repeats" in record
              ? record.repeats
              : record.reason,
      );
    assert.deepEqual(
      await found(
        veventOf("UID:1", "SUMMARY:Gig"),
        veventOf("UID:2", "RECURRENCE-ID:20270601T180000Z"),
        veventOf("UID:3", "SUMMARY:Weekly", "DTSTART:20270601T180000Z", "RRULE:FREQ=WEEKLY"),
        veventOf("UID:4", "SUMMARY:Gig", "DTSTART:20270601T180000Z"),
        veventOf("SUMMARY:Gig"),
      ),
      ["1", "2 20270601T180000Z", "3", "cancelled", "DTSTART is missing"],
    );
    assert.deepEqual(
      await found(
        veventOf("UID:1", "SEQUENCE:1"),
        veventOf("UID:1", "SEQUENCE:2", "SUMMARY:Gig", "DTSTART:20270601T180000Z"),
        veventOf("UID:2", "SEQUENCE:3"),
        veventOf("UID:2", "SEQUENCE:2", "SUMMARY:Gig", "DTSTART:20270601T180000Z"),
      ),
      ["record 2 has a later SEQUENCE", "cancelled", "2", "cancelled"],
    );
  });

  const version = (sequence: number, hour: string, more: string[] = []): string[] =>
    veventOf(
      "UID:7",
      `SUMMARY:At ${hour}`,
      `SEQUENCE:${sequence}`,
      `DTSTART:20270601T${hour}0000Z`,
      ...more,
    );
  const idsOf = async (...events: string[][]): Promise<string[]> =>
    (await readRecords(calendarOf(events.flat()))).map((record) =>
      "event" in record
        ? record.event.sourceId
        : "repeats" in record
          ? record.repeats
          : JSON.stringify(record),
    );

  it("are the highest SEQUENCE, in any order", async () => {
    assert.deepEqual(await idsOf(version(0, "18"), version(3, "20"), version(1, "19")), [
      "record 2 has a later SEQUENCE",
      "7",
      "record 2 has a later SEQUENCE",
    ]);
    assert.deepEqual(await idsOf(version(3, "20"), version(0, "18")), [
      "7",
      "record 1 has a later SEQUENCE",
    ]);
  });

  it("with other starts are other events; with the same the last stamp counts", async () => {
    assert.deepEqual(await idsOf(version(1, "18"), version(1, "20")), [
      "7 20270601T180000Z",
      "7 20270601T200000Z",
    ]);
    assert.deepEqual(await idsOf(version(1, "18"), version(1, "18")), [
      "7",
      "record 1 is the same event",
    ]);
    const stamp = (day: number) => [`DTSTAMP:2027010${day}T000000Z`];
    assert.deepEqual(await idsOf(version(1, "18", stamp(1)), version(1, "18", stamp(2))), [
      "record 2 is the same event",
      "7",
    ]);
    const changed = version(1, "19", ["RECURRENCE-ID:20270601T180000Z"]);
    assert.deepEqual(await idsOf(version(1, "18"), changed), ["7", "7 20270601T180000Z"]);
  });
});

describe("texts of calendars", () => {
  it("are decoded by their mark of byte order, or refused; never stored broken", async () => {
    const text = calendarOf(gigOf("LOCATION:Zürich"));
    const place = async (bytes: Buffer): Promise<string> => {
      const [record] = await readBytes(bytes);
      assert.ok(record !== undefined);
      return "event" in record ? record.event.location : "reason" in record ? record.reason : "";
    };
    assert.equal(await place(Buffer.from(`\uFEFF${text}`)), "Zürich");
    assert.equal(await place(Buffer.from(`\uFEFF${text}`, "utf16le")), "Zürich");
    assert.equal(await place(Buffer.from(`\uFEFF${text}`, "utf16le").swap16()), "Zürich");
    assert.equal(await place(Buffer.from(text, "utf16le")), "Zürich");
    assert.match(await place(Buffer.from(text, "latin1")), /^LOCATION has broken characters/);
    const quoted = "LOCATION;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:Z=FCrich";
    assert.equal((await readOneEvent(calendarOf(gigOf(quoted)))).location, "Zürich");
  });

  it("lose entities, escapes and what no one sees", async () => {
    const nameOf = async (text: string): Promise<string> =>
      (await readOneEvent(calendarOf(veventOf("UID:1", `SUMMARY:${text}`, GIG[2] ?? "")))).name;
    assert.equal(await nameOf("Rock &amp; Roll &#8211; Live"), "Rock & Roll – Live");
    assert.equal(await nameOf("Rock &amp;#8211; Live&nbsp;&#x1F3B8;"), "Rock – Live 🎸");
    assert.equal(await nameOf("R&B, AT&T &c &unknown;"), "R&B, AT&T &c &unknown;");
    assert.equal(await nameOf("a\\nb\\, c\\; d\\\\e"), "a b, c; d\\e");
    assert.equal(
      await nameOf("\u202Egnp.exe\u202C \u2066x\u2069\u200F\u00AD\uFEFF&#x202E;"),
      "gnp.exe x",
    );
    assert.equal(await nameOf("\u001B[31mred\u0007"), "[31mred");
    assert.equal(
      await nameOf("می\u200Cخواهم 👨\u200D👩\u200D👧"),
      "می\u200Cخواهم 👨\u200D👩\u200D👧",
    );
    for (const blank of ["\u3164", "\u200B", "&nbsp;", "\u202E"])
      assert.equal(
        await readReason(calendarOf(veventOf("UID:1", `SUMMARY:${blank}`, GIG[2] ?? ""))),
        "SUMMARY is missing",
      );
  });

  it("keep the first place, and web addresses only", async () => {
    const url = async (address: string) =>
      (await readOneEvent(calendarOf(gigOf(`URL:${address}`)))).url;
    assert.equal(await url("https://x.example/?a=1&amp;b=2"), "https://x.example/?a=1&b=2");
    assert.equal(await url("javascript:alert(1)"), null);
    const { location, country } = await readOneEvent(
      calendarOf(gigOf("LOCATION:Jazz Bar\\nHauptstr. 5\\n10115 Berlin\\nGermany")),
    );
    assert.deepEqual([location, country], ["Berlin", "Germany"]);
  });
});
