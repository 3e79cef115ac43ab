import type { EventRecord } from "../../domain/event-record.ts";

/**
 * One record of a feed, counted from 1: an event, the reason why it cannot be one, or which later
 * version or earlier record stands for it. `id` of a record without an event: its own id, if it can
 * be read, and its source. `note`: what the engine does not do with the event. `cancels`: the known
 * event that it cancels, of which it says no more.
 */
export type FeedRecord = { number: number; name: string } & (
  | { event: EventRecord; note?: string }
  | { reason: string; source?: string; id?: string }
  | { repeats: string }
  | { cancels: { source: string; id: string; sequence: number } }
);

/** A record as it was read, before others stand for it. */
export type ReadRecord = Exclude<FeedRecord, { repeats: string }>;
