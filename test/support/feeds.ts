import assert from "node:assert/strict";
import type { EventRecord } from "../../domain/event-record.ts";
import type { FeedOptions } from "../../tools/feeds/complete-event.ts";
import type { Format } from "../../tools/feeds/draft-event.ts";
import { type FeedRecord, readFeed } from "../../tools/feeds/read-feed.ts";
import { collect } from "./collect-stream.ts";

type Options = FeedOptions & { format?: Format };

/** Reads a feed in pieces of a few characters, so that every record is cut somewhere. */
export async function readRecords(
  feed: unknown,
  options: Options = {},
  pieceLength = 7,
): Promise<FeedRecord[]> {
  const text = typeof feed === "string" ? feed : JSON.stringify(feed);
  return collect(readFeed(pieces(text, pieceLength), options));
}

export async function* pieces(text: string, length: number): AsyncGenerator<string> {
  for (let start = 0; start < text.length; start += length) yield text.slice(start, start + length);
}

export async function readOneEvent(feed: unknown, options: Options = {}): Promise<EventRecord> {
  const [record, ...others] = await readRecords(feed, options);
  assert.equal(others.length, 0);
  assert.ok(record !== undefined && "event" in record, JSON.stringify(record));
  return record.event;
}

export async function readReason(feed: unknown, options: Options = {}): Promise<string> {
  const [record] = await readRecords(feed, options);
  assert.ok(record !== undefined && "reason" in record, JSON.stringify(record));
  return record.reason;
}

/** A record with the API's field names. */
export const LISTING = {
  name: "Gala",
  type: "concert",
  location: "Zürich",
  country: "Switzerland",
  date: "2027-07-01",
  startTime: "20:00",
  duration: 150,
  totalCapacity: 80,
};
