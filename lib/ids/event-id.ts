import { v5 as uuidV5 } from "uuid";
import type { EventRecord } from "../../domain/event-record.ts";

const NAMESPACE = "5f6f3a39-7a31-4d0f-9d0a-0f3a5d1a7c11";

/** An import asks five times for each record's, which was a third of what the engine did. */
const known = new WeakMap<Pick<EventRecord, "source" | "sourceId">, string>();

/** A record gets the same id in every catalogue, so links to an event outlive a catalogue that is built again from its feeds. No record is changed. */
export function eventId(record: Pick<EventRecord, "source" | "sourceId">): string {
  let id = known.get(record);
  if (id === undefined)
    known.set(record, (id = uuidV5(`${record.source}\n${record.sourceId}`, NAMESPACE)));
  return id;
}
