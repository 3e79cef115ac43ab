import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { FeedError } from "../../tools/feeds/feed-error.ts";
import type { Counts } from "../../tools/feeds/feed-record.ts";
import { importFeed } from "../../tools/feeds/import-feed.ts";
import { openInput } from "../../tools/feeds/input.ts";
import { readFeed } from "../../tools/feeds/read-feed.ts";
import { SeenKeys } from "../../tools/feeds/seen-keys.ts";
import { collect } from "../support/http/collect-stream.ts";
import { LISTING, pieces, readRecords } from "../support/fixtures/feeds.ts";

describe("a feed as a whole", () => {
  it("is detected by its content; the error of an unknown format names the line", async () => {
    await assert.rejects(readRecords("<html>no</html>"), {
      constructor: FeedError,
      message: /^neither JSON nor iCalendar at line 1: it begins with "<html>/,
    });
    await assert.rejects(readRecords('[{"name":"a"},\n{"name":}]'), {
      constructor: FeedError,
      message: "not JSON at line 2, column 9",
    });
    await assert.rejects(readRecords('[{"name":"a"},'), {
      constructor: FeedError,
      message: /^not JSON at line 1/,
    });
    await assert.rejects(readRecords(`["${"x".repeat(5 * 1024 * 1024)}"]`, {}, 65_536), {
      constructor: FeedError,
      message: "a record is longer than 4 MiB",
    });
    for (const nothing of ["", "[]", '{"items":[]}', "BEGIN:VCALENDAR\nEND:VCALENDAR\n"])
      await assert.rejects(readRecords(nothing), {
        constructor: FeedError,
        message: "there is no event in it",
      });
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
      upcoming: () => Promise.resolve([]),
      tell: ({ what, number, name, reason }) => {
        if (what === "refused") told.push(`${number} ${name} ${reason}`);
      },
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
