import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { EventRecord } from "../../../domain/event-record.ts";
import { plantedEvents } from "../scenarios/search/search-cases.ts";

/** Writes a catalog of `count` events as a feed of JSON lines, holding only a few in memory. */
export async function writeCatalog(file: string, count: number, todayMs: number): Promise<void> {
  await pipeline(Readable.from(linesOf(plantedEvents(count, todayMs))), createWriteStream(file));
}

const LINES_AT_ONCE = 500;
/** What a feed says of an event; the import computes the rest. */
const FIELDS =
  "id name type location country url date startTime duration timeZone totalCapacity".split(" ");

function* linesOf(events: Iterable<EventRecord>): Generator<string> {
  let lines: string[] = [];
  for (const event of events) {
    lines.push(JSON.stringify({ id: event.sourceId, ...event }, FIELDS));
    if (lines.length < LINES_AT_ONCE) continue;
    yield `${lines.join("\n")}\n`;
    lines = [];
  }
  if (lines.length > 0) yield `${lines.join("\n")}\n`;
}
