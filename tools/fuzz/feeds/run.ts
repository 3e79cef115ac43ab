import { readdirSync, readFileSync } from "node:fs";
import type { EventRecord } from "../../../domain/event-record.ts";
import { Temporal } from "temporal-polyfill";
import { FeedError } from "../../feeds/feed-error.ts";
import type { FeedRecord } from "../../feeds/feed-record.ts";
import { readFeed } from "../../feeds/read-feed.ts";
import { pick, seededRandom } from "../../testing/seeded-random.ts";
import { mutated } from "./mutate.ts";
import { readWithIcalJs, type SecondEvent, type SecondTime } from "./second-reader.ts";

const PRODUCERS = new URL("./producers/", import.meta.url);
const FAULTS_MAX = 20;

export type FeedFuzzReport = {
  feeds: number;
  /** Events that were read, and those of them whose moments ical.js also knows. */
  events: number;
  compared: number;
  refused: number;
  /** Events that differ because the mutation made another zone of the file's VTIMEZONE. */
  otherZones: number;
  /** Feeds that are unreadable as a whole. */
  unreadable: number;
  faults: string[];
};

/**
 * Reads mutated calendars. Faults: an error that is no FeedError, and a moment that ical.js reads
 * otherwise. The same seed reads the same calendars.
 */
export async function fuzzFeeds(feeds: number, seed: number): Promise<FeedFuzzReport> {
  const originals = readdirSync(PRODUCERS)
    .filter((name) => name.endsWith(".ics"))
    .map((name) => readFileSync(new URL(name, PRODUCERS), "utf8"));
  const report = {
    feeds,
    events: 0,
    compared: 0,
    refused: 0,
    otherZones: 0,
    unreadable: 0,
    faults: [] as string[],
  };
  for (let number = 0; number < feeds; number += 1) {
    const random = seededRandom(seed + number);
    const original = pick(originals, random);
    const calendar = mutated(original, random);
    const fault = (what: string): void => {
      if (report.faults.length < FAULTS_MAX)
        report.faults.push(`seed ${seed + number}: ${what}\n${JSON.stringify(calendar)}`);
    };
    try {
      const second = readWithIcalJs(calendar);
      const records: FeedRecord[] = [];
      for await (const record of readFeed(inPieces(calendar, random), {})) records.push(record);
      // Where they see other numbers of events, the structure is broken.
      const agree = second?.length === records.length;
      for (const record of records) {
        if ("reason" in record) report.refused += 1;
        if (!("event" in record)) continue;
        report.events += 1;
        const other = agree ? second[record.number - 1] : undefined;
        if (other === undefined) continue;
        report.compared += 1;
        const difference = differenceOf(record.event, other);
        if (difference === undefined) continue;
        if (hasItsZones(calendar, original)) fault(difference);
        else report.otherZones += 1;
      }
    } catch (error) {
      report.unreadable += 1;
      if (!(error instanceof FeedError)) fault(String(error));
    }
  }
  return report;
}

async function* inPieces(text: string, random: () => number): AsyncGenerator<string> {
  for (let start = 0; start < text.length;) {
    const length = 1 + Math.floor(random() * 2_000);
    yield text.slice(start, (start += length));
    await Promise.resolve();
  }
}

/** Undefined: both readers agree. */
export function differenceOf(event: EventRecord, { start, end }: SecondEvent): string | undefined {
  const { sourceId, startsAt, endsAt } = event;
  if (!fits(start, event))
    return `${sourceId} starts ${startsAt}; ical.js: ${JSON.stringify(start)}`;
  return end === undefined || endFits(start, end, endsAt)
    ? undefined
    : `${sourceId} ends ${endsAt}; ical.js: ${JSON.stringify(end)}`;
}

function fits(time: SecondTime, event: EventRecord): boolean {
  const { startsAt, date, startTime: localTime, timeZone } = event;
  if ("ms" in time) return [time.ms, time.known].includes(Date.parse(startsAt));
  if (time.day) return time.local === date;
  // A local time in the gap of spring moves behind it.
  const local = Temporal.PlainDateTime.from(time.local).toZonedDateTime(timeZone);
  return time.local === `${date}T${localTime}` || local.epochMilliseconds === Date.parse(startsAt);
}

/** Other ends follow from the start. An end that is no later than it is not known. */
function endFits(start: SecondTime, end: SecondTime, moment: string): boolean {
  if (!("ms" in start && "ms" in end) || end.ms <= start.ms) return true;
  const offMs = start.known === undefined ? 0 : start.known - start.ms;
  return [end.ms, end.known, end.ms + offMs].includes(Date.parse(moment));
}

/** Tells whether a mutated calendar still has the VTIMEZONEs of its original. */
function hasItsZones(calendar: string, original: string): boolean {
  const lines = (text: string): string => text.replace(/[\r\n]+/g, "\n");
  const zones = lines(original).match(/BEGIN:VTIMEZONE[^]*?END:VTIMEZONE/g) ?? [];
  return zones.every((zone) => lines(calendar).includes(zone));
}
