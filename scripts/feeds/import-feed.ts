import type { EventRecord } from "../../domain/event-record.ts";
import type { FeedRecord } from "./read-feed.ts";
import { SeenKeys } from "./seen-keys.ts";

const BATCH_RECORDS = 500;
/** A message on the bus holds 1 MiB. */
const BATCH_LENGTH = 400_000;
const IN_FLIGHT = 3;

export type Counts = { imported: number; updated: number; unchanged: number; repeated: number; refused: number };

/** What the catalogue says of a record. */
export type Outcome = { outcome: "imported" | "updated" | "unchanged" } | { outcome: "refused"; reason: string };

export type ImportHooks = {
  /** Sends a batch to the catalogue; answers for each record, in order. */
  send: (records: EventRecord[]) => Promise<readonly Outcome[]>;
  refused: (number: number, name: string, reason: string) => void;
  /** After each batch. */
  progress: (counts: Counts) => void;
  /** When aborted, nothing more is read or sent; what is in flight is waited for. */
  signal: AbortSignal;
};

type Batch = { number: number; event: EventRecord }[];

/**
 * Reads a feed to its end and writes it to the catalogue in batches, a few in flight, so the feed is read no faster than it is written. The first
 * record of a key stands; the others are counted as repeated. `counts` tells what was done also when this rejects, with what the feed or `send` threw.
 */
export async function importFeed(records: AsyncIterable<FeedRecord>, counts: Counts, hooks: ImportHooks): Promise<void> {
  const seen = new SeenKeys();
  const inFlight = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  let batch: Batch = [];
  let length = 0;

  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    const sending = sendBatch(batch, counts, hooks)
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => inFlight.delete(sending));
    inFlight.add(sending);
    [batch, length] = [[], 0];
    if (inFlight.size >= IN_FLIGHT) await Promise.race(inFlight);
  };
  const stopped = (): boolean => failure !== undefined || hooks.signal.aborted;

  try {
    for await (const record of records) {
      if (stopped()) break;
      if ("reason" in record) {
        counts.refused += 1;
        hooks.refused(record.number, record.name, record.reason);
      } else if (!seen.add(`${record.event.source}\n${record.event.sourceId}`)) counts.repeated += 1;
      else {
        batch.push(record);
        length += JSON.stringify(record.event).length;
        if (batch.length >= BATCH_RECORDS || length >= BATCH_LENGTH) await flush();
      }
    }
  } finally {
    // Also where the feed breaks off: what was read of it is good.
    if (!stopped()) await flush();
    await Promise.all(inFlight);
  }
  if (failure !== undefined) throw failure.error;
}

async function sendBatch(batch: Batch, counts: Counts, hooks: ImportHooks): Promise<void> {
  const outcomes = await hooks.send(batch.map(({ event }) => event));
  batch.forEach(({ number, event }, index) => {
    const outcome = outcomes[index];
    if (outcome === undefined) throw new Error(`The catalogue answered for ${outcomes.length} of ${batch.length} records`);
    counts[outcome.outcome] += 1;
    if (outcome.outcome === "refused") hooks.refused(number, event.name, outcome.reason);
  });
  hooks.progress(counts);
}
