import { v5 as uuidV5 } from "uuid";
import type { EventRecord } from "../../domain/event-record.ts";

const NAMESPACE = "5f6f3a39-7a31-4d0f-9d0a-0f3a5d1a7c11";

/** Caches ids, since an import computes each five times. Records never change. */
const known = new WeakMap<Pick<EventRecord, "source" | "sourceId">, string>();

/** Derives an event's id from its feed's id, so that links survive a rebuilt catalog. */
export function eventId(record: Pick<EventRecord, "source" | "sourceId">): string {
  let id = known.get(record);
  if (id === undefined)
    known.set(record, (id = uuidV5(`${record.source}\n${record.sourceId}`, NAMESPACE)));
  return id;
}
