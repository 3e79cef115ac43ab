import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { Readable } from "node:stream";
import type { EventRecord } from "../../domain/event-record.ts";
import type { FeedOptions } from "../../tools/feeds/complete-event.ts";
import type { Format } from "../../tools/feeds/draft-event.ts";
import { FeedError } from "../../tools/feeds/feed-error.ts";
import { type Counts, importFeed } from "../../tools/feeds/import-feed.ts";
import { openInput } from "../../tools/feeds/input.ts";
import { type FeedRecord, readFeed } from "../../tools/feeds/read-feed.ts";
import { SeenKeys } from "../../tools/feeds/seen-keys.ts";
import { collect } from "../support/collect-stream.ts";

type Options = FeedOptions & { format?: Format };

/** Reads a feed that comes in pieces of a few characters, so that every record is cut somewhere. */
async function read(feed: unknown, options: Options = {}, pieceLength = 7): Promise<FeedRecord[]> {
  const text = typeof feed === "string" ? feed : JSON.stringify(feed);
  return collect(readFeed(pieces(text, pieceLength), options));
}

async function* pieces(text: string, length: number): AsyncGenerator<string> {
  for (let start = 0; start < text.length; start += length) yield text.slice(start, start + length);
}

async function event(feed: unknown, options: Options = {}): Promise<EventRecord> {
  const [record, ...others] = await read(feed, options);
  assert.equal(others.length, 0);
  assert.ok(record !== undefined && "event" in record, JSON.stringify(record));
  return record.event;
}

async function reason(feed: unknown, options: Options = {}): Promise<string> {
  const [record] = await read(feed, options);
  assert.ok(record !== undefined && "reason" in record, JSON.stringify(record));
  return record.reason;
}

const CONFERENCE = {
  name: "JSConf",
  url: "https://jsconf.example",
  startDate: "2027-06-03",
  endDate: "2027-06-05",
  city: "Berlin",
  country: "Germany",
  topic: "javascript",
};
const LISTING = {
  name: "Gala",
  type: "concert",
  location: "Zürich",
  country: "Switzerland",
  date: "2027-07-01",
  startTime: "20:00",
  duration: 150,
  totalCapacity: 80,
};

describe("a conference list", () => {
  it("completes events: 500 places, 9:00 on the first to 18:00 on the last day", async () => {
    assert.deepEqual(await event([CONFERENCE]), {
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
    });
  });

  it("finds the zone by city, state and country however they are written", async () => {
    const zone = async (city: string, country: string): Promise<string> =>
      (await event([{ ...CONFERENCE, city, country }])).timeZone;
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
    const online = await event([
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
    const { totalCapacity, type, startTime, endTime, timeZone, duration } = await event(
      [CONFERENCE],
      options,
    );
    assert.deepEqual(
      [totalCapacity, type, startTime, endTime, timeZone, duration],
      [90, "congress", "19:00", "20:00", "Asia/Tokyo", 2 * 1_440 + 60],
    );
    const listing = await event([{ ...LISTING, timeZone: "Europe/Paris" }], options);
    assert.deepEqual(
      [listing.totalCapacity, listing.type, listing.startTime, listing.duration, listing.timeZone],
      [80, "concert", "20:00", 150, "Europe/Paris"],
    );
  });

  it("gives an event that starts after six in the evening eight hours", async () => {
    assert.equal(
      (await event([{ ...CONFERENCE, endDate: "2027-06-03" }], { startTime: "19:00" })).duration,
      480,
    );
  });

  it("refuses with a reason", async () => {
    assert.equal(await reason([{ ...CONFERENCE, name: "  " }]), "name is missing");
    assert.equal(await reason([{ ...CONFERENCE, name: { a: 1 } }]), "name is not a text");
    assert.equal(
      await reason([{ ...CONFERENCE, name: "x".repeat(201) }]),
      "name is longer than 200 characters",
    );
    assert.equal(await reason([{ ...CONFERENCE, name: "\u0301" }]), "name has no letter or digit");
    assert.equal(
      await reason([{ ...CONFERENCE, name: "Caf\uFFFD" }]),
      "name has broken characters (the feed is not UTF-8)",
    );
    assert.equal(await reason([{ ...CONFERENCE, startDate: "" }]), "startDate is missing");
    assert.equal(
      await reason([{ ...CONFERENCE, startDate: "June 3rd" }]),
      'startDate "June 3rd" is not a date',
    );
    assert.equal(
      await reason([{ ...CONFERENCE, startDate: "2027-02-30" }]),
      "startDate 2027-02-30 is not a day of the calendar",
    );
    assert.equal(
      await reason([{ ...CONFERENCE, endDate: "2027-06-01" }]),
      "it ends (2027-06-01) before it starts (2027-06-03)",
    );
    assert.equal(
      await reason([{ ...CONFERENCE, endDate: "2029-06-01" }]),
      "it lasts longer than a year",
    );
    assert.match(
      await reason([{ ...CONFERENCE, startDate: "1815-06-18", endDate: "1815-06-18" }]),
      /^date is not a day .* 1970 to 2100/,
    );
    assert.equal(
      await reason([{ ...CONFERENCE, url: "javascript:alert(1)" }]),
      "url is not a web address (http or https)",
    );
    assert.equal(await reason([7]), "it is not an object");
  });

  it("forgives blanks around texts and in addresses", async () => {
    const { name, url } = await event([
      { ...CONFERENCE, name: " JS\n Conf ", url: "http://example.org/Austin, TX" },
    ]);
    assert.deepEqual([name, url], ["JS Conf", "http://example.org/Austin,%20TX"]);
  });
});

describe("JSON with the contract's names", () => {
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
          (await read(form, {}, length)).map(
            (record) => "event" in record && record.event.sourceId,
          ),
          ["r0", "r1", "r2"],
        );
  });

  it("keeps endTime and duration consistent", async () => {
    const open = { ...LISTING, duration: undefined };
    assert.deepEqual(pick(await event([LISTING])), ["20:00", "22:30", 150]);
    assert.deepEqual(pick(await event([{ ...open, endTime: "23:00" }])), ["20:00", "23:00", 180]);
    assert.deepEqual(pick(await event([{ ...open, endTime: "01:00" }])), ["20:00", "01:00", 300]);
    assert.deepEqual(pick(await event([open])), ["20:00", "04:00", 480]);
  });

  it("moves a start in the gap of the clocks, and counts the hours over a change", async () => {
    const skipped = await event([
      { ...LISTING, location: "Berlin", date: "2027-03-28", startTime: "02:30" },
    ]);
    assert.deepEqual([skipped.startTime, skipped.startsAt], ["03:30", "2027-03-28T01:30:00.000Z"]);
    const open = { ...LISTING, duration: undefined };
    const night = await event([
      { ...open, location: "Berlin", date: "2027-10-30", startTime: "22:00", endTime: "06:00" },
    ]);
    assert.equal(night.duration, 9 * 60);
  });

  it("takes an instant instead of a date, capacity, numbers as text", async () => {
    const rest = { ...LISTING, date: undefined, startTime: undefined, totalCapacity: undefined };
    const { date, startTime, totalCapacity } = await event([
      { ...rest, startsAt: "2027-07-01T18:00:00.000Z", capacity: "75" },
    ]);
    assert.deepEqual([date, startTime, totalCapacity], ["2027-07-01", "20:00", 75]);
  });

  it("refuses with a reason", async () => {
    assert.equal(await reason([{ ...LISTING, startTime: "25:00" }]), "startTime is not HH:MM");
    assert.equal(await reason([{ ...LISTING, endTime: "8pm" }]), "endTime is not HH:MM");
    assert.equal(
      await reason([{ ...LISTING, duration: 0 }]),
      "duration is not a number of minutes above 0",
    );
    assert.equal(await reason([{ ...LISTING, duration: 1.5 }]), "duration is not a whole number");
    assert.equal(
      await reason([{ ...LISTING, timeZone: "Mars/Olympus" }]),
      'time zone "Mars/Olympus" is not known',
    );
    assert.equal(
      await reason([{ ...LISTING, totalCapacity: -1 }]),
      "capacity is not a whole number from 0 to 1000000",
    );
    assert.equal(
      await reason([{ ...LISTING, totalCapacity: "many" }]),
      "totalCapacity is not a whole number",
    );
    assert.equal(await reason([{ ...LISTING, date: undefined }]), "date is missing");
  });
});

function pick({ startTime, endTime, duration }: EventRecord): (string | number)[] {
  return [startTime, endTime, duration];
}

describe("a feed as a whole", () => {
  it("is detected by its content; the error of an unknown format names the line", async () => {
    await assert.rejects(read("<html>no</html>"), {
      constructor: FeedError,
      message: /^neither JSON nor iCalendar at line 1: it begins with "<html>/,
    });
    await assert.rejects(read('[{"name":"a"},\n{"name":}]'), {
      constructor: FeedError,
      message: "not JSON at line 2, column 9",
    });
    await assert.rejects(read('[{"name":"a"},'), {
      constructor: FeedError,
      message: /^not JSON at line 1/,
    });
    await assert.rejects(read(`["${"x".repeat(5 * 1024 * 1024)}"]`, {}, 65_536), {
      constructor: FeedError,
      message: "a record is longer than 4 MiB",
    });
    assert.deepEqual(await read(""), []);
    assert.deepEqual(await read("[]"), []);
  });

  it("is unpacked, from standard input too, and counts the bytes that came in", async () => {
    const packed = gzipSync(JSON.stringify([LISTING]));
    const input = await openInput(
      "-",
      Readable.from([packed.subarray(0, 10), packed.subarray(10)]),
    );
    const records = await collect(readFeed(input.chunks, {}));
    assert.equal(records.length, 1);
    assert.equal(input.readBytes(), packed.length);
    const broken = await openInput("-", Readable.from([packed.subarray(0, 20)]));
    await assert.rejects(collect(broken.chunks), {
      constructor: FeedError,
      message: /^it cannot be unpacked/,
    });
    await assert.rejects(openInput("/no/such/file", Readable.from([])), {
      constructor: FeedError,
      message: /^it cannot be opened: ENOENT/,
    });
  });

  it("is written in batches, a few in flight, also what was read before it broke off", async () => {
    const counts: Counts = { imported: 0, updated: 0, unchanged: 0, repeated: 0, refused: 0 };
    const feed = [
      ...Array.from({ length: 1_200 }, (_, index) =>
        JSON.stringify({ ...LISTING, id: index % 1_100 }),
      ),
      '{"date":"2027-01-01"}',
      "oops",
    ].join("\n");
    let inFlight = 0;
    let most = 0;
    const told: string[] = [];
    const importing = importFeed(readFeed(pieces(feed, 10_000), {}), counts, {
      async send(records) {
        most = Math.max(most, (inFlight += 1));
        await new Promise((resolve) => setImmediate(resolve));
        inFlight -= 1;
        return records.map(({ sourceId }) =>
          sourceId === "7"
            ? { outcome: "refused" as const, reason: "no" }
            : { outcome: "imported" as const },
        );
      },
      refused: (number, name, why) => told.push(`${number} ${name} ${why}`),
      progress: () => undefined,
      signal: new AbortController().signal,
    });
    await assert.rejects(importing, {
      constructor: FeedError,
      message: "not JSON at line 1202, column 1",
    });
    assert.deepEqual(counts, {
      imported: 1_099,
      updated: 0,
      unchanged: 0,
      repeated: 100,
      refused: 2,
    });
    assert.deepEqual(told.sort(), ["1201 (no name) name is missing", "8 Gala no"]);
    assert.ok(most <= 3);
  });

  it("remembers a hundred thousand keys", () => {
    const seen = new SeenKeys();
    for (let index = 0; index < 100_000; index += 1) assert.ok(seen.add(`key ${index}`));
    for (let index = 0; index < 100_000; index += 1) assert.ok(!seen.add(`key ${index}`));
  });
});
