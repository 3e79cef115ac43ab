import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EventRecord } from "../../domain/event-record.ts";
import { LISTING, readOneEvent, readReason, readRecords } from "../support/fixtures/feeds.ts";

const CONFERENCE = {
  name: "JSConf",
  url: "https://jsconf.example",
  startDate: "2027-06-03",
  endDate: "2027-06-05",
  city: "Berlin",
  country: "Germany",
  topic: "javascript",
};
describe("a conference list", () => {
  it("completes events: 500 places, 9:00 on the first to 18:00 on the last day", async () => {
    assert.deepEqual(await readOneEvent([CONFERENCE]), {
      source: "conferences",
      sourceId: "jsconf|2027-06-03|berlin",
      name: "JSConf",
      type: "javascript",
      location: "Berlin",
      country: "Germany",
      url: "https://jsconf.example",
      date: "2027-06-03",
      startTime: "09:00",
      endTime: "18:00",
      duration: 2 * 1_440 + 540,
      timeZone: "Europe/Berlin",
      startsAt: "2027-06-03T07:00:00.000Z",
      endsAt: "2027-06-05T16:00:00.000Z",
      totalCapacity: 500,
      status: "scheduled",
    });
  });

  it("finds the zone by city, state and country however they are written", async () => {
    const zone = async (city: string, country: string): Promise<string> =>
      (await readOneEvent([{ ...CONFERENCE, city, country }])).timeZone;
    assert.equal(await zone("Salt Lake City, UT", "U.S.A."), "America/Denver");
    assert.equal(await zone("Portland, ME", "U.S.A."), "America/New_York");
    assert.equal(await zone("Beckenridge, CO", "U.S.A."), "America/Denver");
    assert.equal(await zone("Cambridge", "U.K."), "Europe/London");
    assert.equal(await zone("Perthshire", "Scotland"), "Europe/London");
    assert.equal(await zone("Jeju", "Korea"), "Asia/Seoul");
    assert.equal(await zone("Malaga", "Spain"), "Europe/Madrid");
    assert.equal(await zone("Prizren", "Kosovo"), "Europe/Belgrade");
    assert.equal(await zone("Nowhere", "Atlantis"), "UTC");
  });

  it("takes what has no city for online", async () => {
    const online = await readOneEvent([
      {
        name: "Webinar",
        startDate: "2027-01-01",
        endDate: "2027-01-01",
        online: true,
        city: "  ",
        topic: "ux",
      },
    ]);
    assert.deepEqual(
      [online.location, online.country, online.timeZone, online.url],
      ["Online", null, "UTC", null],
    );
  });

  it("lets the options say what the feed does not, and only that", async () => {
    const options = {
      capacity: 90,
      type: "congress",
      startTime: "19:00",
      durationMinutes: 60,
      timeZone: "Asia/Tokyo",
    };
    const { totalCapacity, type, startTime, endTime, timeZone, duration } = await readOneEvent(
      [CONFERENCE],
      options,
    );
    assert.deepEqual(
      [totalCapacity, type, startTime, endTime, timeZone, duration],
      [90, "congress", "19:00", "20:00", "Asia/Tokyo", 2 * 1_440 + 60],
    );
    const listing = await readOneEvent([{ ...LISTING, timeZone: "Europe/Paris" }], options);
    assert.deepEqual(
      [listing.totalCapacity, listing.type, listing.startTime, listing.duration, listing.timeZone],
      [80, "concert", "20:00", 150, "Europe/Paris"],
    );
  });

  it("gives an event that starts after six in the evening eight hours", async () => {
    assert.equal(
      (await readOneEvent([{ ...CONFERENCE, endDate: "2027-06-03" }], { startTime: "19:00" }))
        .duration,
      480,
    );
  });

  it("refuses with a reason", async () => {
    assert.equal(await readReason([{ ...CONFERENCE, name: "  " }]), "name is missing");
    assert.equal(await readReason([{ ...CONFERENCE, name: { a: 1 } }]), "name is not a text");
    assert.equal(
      await readReason([{ ...CONFERENCE, name: "x".repeat(201) }]),
      "name is longer than 200 characters",
    );
    assert.equal(
      await readReason([{ ...CONFERENCE, name: "\u0301" }]),
      "name has no letter or digit",
    );
    assert.equal(
      await readReason([{ ...CONFERENCE, name: "Caf\uFFFD" }]),
      "name has broken characters (the feed is not UTF-8)",
    );
    assert.equal(await readReason([{ ...CONFERENCE, startDate: "" }]), "startDate is missing");
    assert.equal(
      await readReason([{ ...CONFERENCE, startDate: "June 3rd" }]),
      'startDate "June 3rd" is not a date',
    );
    assert.equal(
      await readReason([{ ...CONFERENCE, startDate: "2027-02-30" }]),
      "startDate 2027-02-30 is not a day of the calendar",
    );
    assert.equal(
      await readReason([{ ...CONFERENCE, endDate: "2027-06-01" }]),
      "it ends (2027-06-01) before it starts (2027-06-03)",
    );
    assert.equal(
      await readReason([{ ...CONFERENCE, endDate: "2029-06-01" }]),
      "it lasts longer than a year",
    );
    assert.match(
      await readReason([{ ...CONFERENCE, startDate: "1815-06-18", endDate: "1815-06-18" }]),
      /^date is not a day .* 1970 to 2100/,
    );
    assert.equal(
      await readReason([{ ...CONFERENCE, url: "javascript:alert(1)" }]),
      "url is not a web address (http or https)",
    );
    assert.equal(await readReason([7]), "it is not an object");
  });

  it("forgives blanks around texts and in addresses", async () => {
    const { name, url } = await readOneEvent([
      { ...CONFERENCE, name: " JS\n Conf ", url: "http://example.org/Austin, TX" },
    ]);
    assert.deepEqual([name, url], ["JS Conf", "http://example.org/Austin,%20TX"]);
  });
});

describe("JSON with the contract's names", () => {
  it("S38: hostile feeds are refused, or shown as plain text", async () => {
    const { name } = await readOneEvent([
      { ...LISTING, name: "\u202EGala\u2066\r\nBEGIN:VEVENT\u0000 <b>&#x202E;x</b>" },
    ]);
    assert.equal(name, "Gala BEGIN:VEVENT <b>x</b>");
    assert.match(await readReason([{ ...LISTING, url: "javascript:alert(1)" }]), /^url is not a/);
    assert.match(
      await readReason([{ ...LISTING, id: "1", name: "x".repeat(50_000) }]),
      /^name is longer/,
    );
  });

  it("is read from arrays, lines, pages and lists in lists alike", async () => {
    const records = Array.from({ length: 3 }, (_, index) => ({
      ...LISTING,
      id: `r${index}`,
      name: `Gala „${index}“ {[,]}`,
    }));
    const forms = [
      JSON.stringify(records),
      JSON.stringify(records, null, 2),
      records.map((record) => JSON.stringify(record)).join("\n"),
      `\uFEFF${records.map((record) => JSON.stringify(record)).join("\r\n\r\n")}\n`,
      JSON.stringify({ nextCursor: null, items: records }),
      JSON.stringify([records]),
    ];
    for (const form of forms)
      for (const length of [1, 13, 100_000])
        assert.deepEqual(
          (await readRecords(form, {}, length)).map(
            (record) => "event" in record && record.event.sourceId,
          ),
          ["r0", "r1", "r2"],
        );
  });

  it("keeps endTime and duration consistent", async () => {
    const open = { ...LISTING, duration: undefined };
    assert.deepEqual(pick(await readOneEvent([LISTING])), ["20:00", "22:30", 150]);
    assert.deepEqual(pick(await readOneEvent([{ ...open, endTime: "23:00" }])), [
      "20:00",
      "23:00",
      180,
    ]);
    assert.deepEqual(pick(await readOneEvent([{ ...open, endTime: "01:00" }])), [
      "20:00",
      "01:00",
      300,
    ]);
    assert.deepEqual(pick(await readOneEvent([open])), ["20:00", "04:00", 480]);
  });

  it("moves a start in the gap of the clocks, and counts the hours over a change", async () => {
    const skipped = await readOneEvent([
      { ...LISTING, location: "Berlin", date: "2027-03-28", startTime: "02:30" },
    ]);
    assert.deepEqual([skipped.startTime, skipped.startsAt], ["03:30", "2027-03-28T01:30:00.000Z"]);
    const open = { ...LISTING, duration: undefined };
    const night = await readOneEvent([
      { ...open, location: "Berlin", date: "2027-10-30", startTime: "22:00", endTime: "06:00" },
    ]);
    assert.equal(night.duration, 9 * 60);
  });

  it("takes an instant instead of a date, capacity, numbers as text", async () => {
    const rest = { ...LISTING, date: undefined, startTime: undefined, totalCapacity: undefined };
    const { date, startTime, totalCapacity } = await readOneEvent([
      { ...rest, startsAt: "2027-07-01T18:00:00.000Z", capacity: "75" },
    ]);
    assert.deepEqual([date, startTime, totalCapacity], ["2027-07-01", "20:00", 75]);
  });

  it("takes the status, scheduled if there is none", async () => {
    assert.equal((await readOneEvent([LISTING])).status, "scheduled");
    assert.equal((await readOneEvent([{ ...LISTING, status: "Postponed" }])).status, "postponed");
  });

  it("refuses with a reason", async () => {
    assert.equal(await readReason([{ ...LISTING, startTime: "25:00" }]), "startTime is not HH:MM");
    assert.equal(await readReason([{ ...LISTING, endTime: "8pm" }]), "endTime is not HH:MM");
    assert.equal(
      await readReason([{ ...LISTING, duration: 0 }]),
      "duration is not a number of minutes above 0",
    );
    assert.equal(
      await readReason([{ ...LISTING, duration: 1.5 }]),
      "duration is not a whole number",
    );
    assert.equal(
      await readReason([{ ...LISTING, timeZone: "Mars/Olympus" }]),
      'time zone "Mars/Olympus" is not known',
    );
    assert.equal(
      await readReason([{ ...LISTING, totalCapacity: -1 }]),
      "capacity is not a whole number from 0 to 1000000",
    );
    assert.equal(
      await readReason([{ ...LISTING, totalCapacity: "many" }]),
      "totalCapacity is not a whole number",
    );
    assert.equal(await readReason([{ ...LISTING, date: undefined }]), "date is missing");
    assert.equal(
      await readReason([{ ...LISTING, status: "off" }]),
      "status is not one of scheduled, postponed, cancelled",
    );
  });
});

function pick({ startTime, endTime, duration }: EventRecord): (string | number)[] {
  return [startTime, endTime, duration];
}
