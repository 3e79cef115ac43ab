import type { EventRecord } from "../../domain/event-record.ts";
import type { SeenKeys } from "./seen-keys.ts";

/**
 * One record of a feed, counted from 1: an event, the reason why it cannot be one, or which later
 * version or earlier record stands for it. `id` of a record without an event: its own id, if it can
 * be read, and its source. `note`: what the engine does not do with the event. `cancels`: the known
 * event that it cancels, of which it says no more. `image`: address of its picture.
 */
export type FeedRecord = { number: number; name: string } & (
  | { event: EventRecord; note?: string; image?: string }
  | { reason: string; source?: string; id?: string }
  | { repeats: string }
  | { cancels: { source: string; id: string; sequence: number } }
);

/** A record as it was read, before others stand for it. */
export type ReadRecord = Exclude<FeedRecord, { repeats: string }>;

export type Counts = {
  imported: number;
  updated: number;
  unchanged: number;
  repeated: number;
  refused: number;
};

/** Outcome of one record in the catalog. */
export type Outcome =
  { outcome: "imported" | "updated" | "unchanged" } | { outcome: "refused"; reason: string };

/** A line of the report. `number`: the record's in the feed. */
export type Told = {
  what: "refused" | "repeated" | "missing" | "note" | "picture";
  number?: number;
  name: string;
  reason: string;
};

/** Records that cancel an event, by its id. */
export type NamedEvents = Map<string, { number: number; name: string; sequence: number }>;

/**
 * What a feed had: keys of its records (`recordKey`), refused records without a known id, and by
 * source the events that it cancels without describing them.
 */
export type Feed = {
  seen: SeenKeys;
  sources: Set<string>;
  unknown: number;
  named: Map<string, NamedEvents>;
};

export type ImportHooks = {
  /** Sends a batch to the catalog. Returns one outcome per record, in order. */
  send: (records: EventRecord[]) => Promise<readonly Outcome[]>;
  /** Returns upcoming events of a source behind this id, in the order of ids. Empty: the end. */
  upcoming: (source: string, after: string) => Promise<readonly EventRecord[]>;
  /** Called for each record that is not in the catalog afterwards, and for other remarks. */
  tell: (told: Told) => void;
  /** Called after each batch. */
  progress: (counts: Counts) => void;
  /** When aborted, the import stops reading and sending, and waits for the batches in flight. */
  signal: AbortSignal;
};
