import { v5 as uuidV5 } from "uuid";
import type { EventRecord } from "../../domain/event-record.ts";

const NAMESPACE = "5f6f3a39-7a31-4d0f-9d0a-0f3a5d1a7c11";

/** Cached because an import needs each record's id five times, and hashing is expensive. */
const known = new WeakMap<Pick<EventRecord, "source" | "sourceId">, string>();

/**
 * Derives an event's id from its record. The same record has the same id in every catalog, so links
 * survive a catalog that is rebuilt from its feeds. Records must not be mutated.
 */
export function eventId(record: Pick<EventRecord, "source" | "sourceId">): string {
  let id = known.get(record);
  if (id === undefined)
    known.set(record, (id = uuidV5(`${record.source}\n${record.sourceId}`, NAMESPACE)));
  return id;
}
