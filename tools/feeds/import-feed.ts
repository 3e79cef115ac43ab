import type { EventRecord } from "../../domain/event-record.ts";
import type { FeedRecord } from "./read-feed.ts";
import { SeenKeys } from "./seen-keys.ts";

const BATCH_RECORDS = 500;
/** A message on the bus holds 1 MiB. */
const BATCH_LENGTH = 400_000;
/** More write no faster on two cores, and add to the index's pending list what the one who cleans it cannot keep up with. */
const IN_FLIGHT = 2;
/**
 * So many records, or characters of them, are put in the order of their days before they are sent: the index of names is by week, so those of one week go to
 * the same few pages of it. In the order of a feed that has none, a million took 350 s and more, with stalls of a minute. Windows grow from one batch, so that
 * a short or slow feed is written as it comes.
 */
const WINDOW_MAX = 96_000;
const WINDOW_LENGTH = 64_000_000;

export type Counts = {
  imported: number;
  updated: number;
  unchanged: number;
  repeated: number;
  refused: number;
};

/** What the catalogue says of a record. */
export type Outcome =
  { outcome: "imported" | "updated" | "unchanged" } | { outcome: "refused"; reason: string };

export type ImportHooks = {
  /** Sends a batch to the catalogue; answers for each record, in order. */
  send: (records: EventRecord[]) => Promise<readonly Outcome[]>;
  refused: (number: number, name: string, reason: string) => void;
  /** After each batch. */
  progress: (counts: Counts) => void;
  /** When aborted, nothing more is read or sent; what is in flight is waited for. */
  signal: AbortSignal;
};

type Batch = { number: number; event: EventRecord; length: number }[];

/**
 * Reads a feed to its end and writes it to the catalogue: one window of it is sent in batches while the next is read, so the feed is read no faster than it
 * is written. The first record of a key stands; the others are counted as repeated. `counts` tells what was done also when this rejects, with what the feed
 * or `send` threw.
 */
export async function importFeed(
  records: AsyncIterable<FeedRecord>,
  counts: Counts,
  hooks: ImportHooks,
): Promise<void> {
  const seen = new SeenKeys();
  let failure: { error: unknown } | undefined;
  let sending = Promise.resolve();
  let [window, windowMax, windowLength]: [Batch, number, number] = [[], BATCH_RECORDS, 0];
  const stopped = (): boolean => failure !== undefined || hooks.signal.aborted;

  const sendWindow = async (batches: readonly Batch[]): Promise<void> => {
    let next = 0;
    const sender = async (): Promise<void> => {
      for (let batch = batches[next++]; batch !== undefined && !stopped(); batch = batches[next++])
        await sendBatch(batch, counts, hooks).catch(
          (error: unknown) => void (failure ??= { error }),
        );
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, sender));
  };
  const flush = async (): Promise<void> => {
    const batches = batchesOf(
      window.sort((one, other) =>
        one.event.date < other.event.date ? -1 : Number(one.event.date > other.event.date),
      ),
    );
    [window, windowMax, windowLength] = [[], Math.min(2 * windowMax, WINDOW_MAX), 0];
    await sending;
    sending = sendWindow(batches);
  };

  try {
    for await (const record of records) {
      if (stopped()) break;
      if ("reason" in record) {
        counts.refused += 1;
        hooks.refused(record.number, record.name, record.reason);
      } else if (!seen.add(`${record.event.source}\n${record.event.sourceId}`))
        counts.repeated += 1;
      else {
        const { number, event } = record;
        const { length } = JSON.stringify(event);
        windowLength += length;
        if (window.push({ number, event, length }) >= windowMax || windowLength >= WINDOW_LENGTH)
          await flush();
      }
    }
  } finally {
    // Also where the feed breaks off: what was read of it is good.
    await flush();
    await sending;
  }
  if (failure !== undefined) throw failure.error;
}

function batchesOf(window: Batch): Batch[] {
  const batches: Batch[] = [];
  let [batch, length]: [Batch, number] = [[], 0];
  for (const record of window) {
    if (
      batch.length >= BATCH_RECORDS ||
      length + record.length > BATCH_LENGTH ||
      batch.length === 0
    ) {
      batches.push((batch = []));
      length = 0;
    }
    batch.push(record);
    length += record.length;
  }
  return batches;
}

async function sendBatch(batch: Batch, counts: Counts, hooks: ImportHooks): Promise<void> {
  const outcomes = await hooks.send(batch.map(({ event }) => event));
  batch.forEach(({ number, event }, index) => {
    const outcome = outcomes[index];
    if (outcome === undefined)
      throw new Error(`The catalogue answered for ${outcomes.length} of ${batch.length} records`);
    counts[outcome.outcome] += 1;
    if (outcome.outcome === "refused") hooks.refused(number, event.name, outcome.reason);
  });
  hooks.progress(counts);
}
