import type { EventRecord } from "../../domain/event-record.ts";
import { cancelNamed } from "./cancel-named.ts";
import type { Counts, Feed, FeedRecord, ImportHooks, NamedEvents } from "./feed-record.ts";
import { recordKey, SeenKeys } from "./seen-keys.ts";

const BATCH_RECORDS = 500;
/** Must fit into a message on the bus (1 MiB). */
const BATCH_LENGTH = 400_000;
/** More writers are no faster on two cores and outgrow the cleaning of the index's pending list. */
const IN_FLIGHT = 2;
/**
 * Records, or characters of them, that are sorted by date before they are sent. The index of
 * names is by week, so the records of one week change few pages of it. Windows start with one
 * batch and grow, so that a short or slow feed is written as it arrives.
 */
const WINDOW_MAX = 96_000;
const WINDOW_LENGTH = 64_000_000;

type Batch = { number: number; event: EventRecord; length: number }[];

/**
 * Imports a feed into the catalog. Sends one window in batches while it reads the next, so it
 * reads no faster than it writes. The first record of a key wins; later ones are repeated. At the
 * end cancels the known events that the feed cancels without describing them. Rejects
 * with what the feed or `send` threw; `counts` is right also then. Returns what the feed had.
 */
export async function importFeed(
  records: AsyncIterable<FeedRecord>,
  counts: Counts,
  hooks: ImportHooks,
): Promise<Feed> {
  const seen = new SeenKeys();
  const feed: Feed = { seen, sources: new Set(), unknown: 0, named: new Map() };
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
      const { number, name } = record;
      if ("reason" in record) {
        const { reason, source, id } = record;
        counts.refused += 1;
        if (source === undefined || id === undefined) feed.unknown += 1;
        else seen.add(recordKey(source, id));
        hooks.tell({ what: "refused", number, name, reason });
      } else if ("cancels" in record) {
        const { source, id, sequence } = record.cancels;
        const ids = feed.named.get(source) ?? (new Map() as NamedEvents);
        feed.named.set(source, ids.set(id, { number, name, sequence }));
      } else if ("repeats" in record) {
        counts.repeated += 1;
        hooks.tell({ what: "repeated", number, name, reason: record.repeats });
      } else if (!seen.add(recordKey(record.event.source, record.event.sourceId))) {
        counts.repeated += 1;
        const { sourceId } = record.event;
        const reason = `an earlier record has its id, ${sourceId.slice(0, 100)}`;
        hooks.tell({ what: "repeated", number, name, reason });
      } else {
        const { event, note } = record;
        feed.sources.add(event.source);
        if (event.otherId !== undefined) seen.add(recordKey(event.source, event.otherId));
        if (note !== undefined) hooks.tell({ what: "note", number, name, reason: note });
        const { length } = JSON.stringify(event);
        windowLength += length;
        if (window.push({ number, event, length }) >= windowMax || windowLength >= WINDOW_LENGTH)
          await flush();
      }
    }
  } finally {
    // Also if the feed breaks off: the records before the fault are good.
    await flush();
    await sending;
  }
  if (failure !== undefined) throw failure.error;
  await cancelNamed(feed, counts, hooks);
  return feed;
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
      throw new Error(
        `The catalog returned ${outcomes.length} outcomes for ${batch.length} records`,
      );
    counts[outcome.outcome] += 1;
    if (outcome.outcome === "refused") {
      const { name } = event;
      hooks.tell({ what: "refused", number, name, reason: outcome.reason });
    }
  });
  hooks.progress(counts);
}
