import { type EventRecord, type EventStatus, recordProblem } from "../../../domain/event-record.ts";
import { lockEvents } from "../../../lib/database/ledger-booking.ts";
import { type Database, isServerError, isUnavailable } from "../../../lib/database/pool.ts";
import type { RedisClient } from "../../../lib/redis/client.ts";
import { changeEvent } from "./change-event.ts";
import { readLeftToSell } from "../../../lib/availability/availability-query.ts";
import { type CacheInvalidation, expireSoon } from "../events/cache-invalidation.ts";
import { eventId } from "../../../lib/ids.ts";
import {
  describeEvents,
  insertEvents,
  type StoredRecord,
  storedRecords,
  withKnownIds,
} from "../events/event-store.ts";
import { keepWords } from "../events/event-words.ts";

export type ImportOutcome =
  { outcome: "imported" | "updated" | "unchanged" } | { outcome: "refused"; reason: string };

export type ImportDependencies = {
  /** Pool of the profile "long": a change waits for the batch in flight and may book a backlog. */
  database: Database;
  redis: RedisClient;
  cache: CacheInvalidation;
  /** Node that takes an event's epoch, for operators who read event_worker. */
  node: string;
  /** Notifies all nodes of a changed event, with its availability if that changed. */
  changed: (
    eventId: string,
    availability?: { available: number; epoch: number; status: EventStatus },
  ) => void;
  /** Lets the dates of sold tickets follow their events, in the background. */
  moveTickets: () => void;
};

const DESCRIPTION = ["name", "type", "location", "country", "url"] as const;
const SALE = [
  "date",
  "startTime",
  "endTime",
  "duration",
  "timeZone",
  "startsAt",
  "endsAt",
  "totalCapacity",
  "status",
] as const;

/**
 * Imports records into the catalog: inserts new ones and updates those that differ. Returns one
 * outcome per record, in order. Several records of one source id are written in sequence.
 */
export async function importEvents(
  dependencies: ImportDependencies,
  given: readonly EventRecord[],
): Promise<ImportOutcome[]> {
  const records = await withKnownIds(dependencies.database, given);
  const outcomes = new Map<EventRecord, ImportOutcome>();
  let waiting: EventRecord[] = [];
  for (const record of records) {
    const reason = recordProblem(record);
    if (reason === undefined) waiting.push(record);
    else outcomes.set(record, { outcome: "refused", reason });
  }
  while (waiting.length > 0) {
    const firsts = [
      ...new Map(waiting.toReversed().map((record) => [eventId(record), record])).values(),
    ].reverse();
    await importDistinct(dependencies, firsts, outcomes);
    waiting = waiting.filter((record) => !outcomes.has(record));
  }
  return records.map((record) => outcomes.get(record) ?? { outcome: "unchanged" });
}

/**
 * Imports records with distinct ids. Skips what another import inserted meanwhile: the caller
 * repeats it and finds it stored.
 */
async function importDistinct(
  dependencies: ImportDependencies,
  records: readonly EventRecord[],
  outcomes: Map<EventRecord, ImportOutcome>,
): Promise<void> {
  const { database } = dependencies;
  const stored = await storedRecords(database, records);
  const isNew = records.filter((record) => !stored.has(eventId(record)));
  const inserted = await insertEvents(database, isNew);
  if (inserted.size > 0) await dependencies.cache.invalidate();
  for (const record of isNew)
    if (inserted.has(eventId(record))) outcomes.set(record, { outcome: "imported" });

  // Before the transactions that lock events. A word that no event has in the end does no harm.
  await keepWords(
    database,
    records.filter((record) => {
      const before = stored.get(eventId(record));
      return before !== undefined && isDescribedAnew(record, before);
    }),
  );
  const described: EventRecord[] = [];
  for (const record of records) {
    const before = stored.get(eventId(record));
    if (before === undefined) continue;
    if (isOlder(record, before)) outcomes.set(record, { outcome: "unchanged" });
    else if (differs(record, before, SALE))
      outcomes.set(record, await change(dependencies, record));
    else if (isDescribedAnew(record, before)) described.push(record);
    else outcomes.set(record, { outcome: "unchanged" });
  }
  if (described.length > 0) await describe(dependencies, described);
  for (const record of described) outcomes.set(record, { outcome: "updated" });
}

/** A feed that no longer has versions is not older. */
function isOlder({ sequence }: EventRecord, before: StoredRecord): boolean {
  return sequence !== undefined && before.sequence !== undefined && sequence < before.sequence;
}

function isDescribedAnew(record: EventRecord, before: StoredRecord): boolean {
  const isNewer = record.sequence !== undefined && record.sequence !== before.sequence;
  return differs(record, before, DESCRIPTION) || isNewer || !before.isFolded;
}

function differs(
  record: EventRecord,
  before: StoredRecord,
  fields: readonly (keyof EventRecord)[],
): boolean {
  return fields.some((field) => record[field] !== before[field]);
}

async function describe(
  { database, redis, cache, changed }: ImportDependencies,
  records: readonly EventRecord[],
): Promise<void> {
  const ids = records.map(eventId);
  await expireSoon(redis, ids);
  await database.transaction(async (connection) => {
    await lockEvents(connection, ids);
    await describeEvents(connection, records);
  });
  await cache.invalidate();
  // After the commit: a worker of a later epoch has read the event as it is now.
  const left = await readLeftToSell(database, ids);
  for (const availability of left) {
    await cache.forget(availability.eventId);
    await cache.renew(availability, availability.epoch + 1);
    changed(availability.eventId);
  }
}

async function change(
  { database, redis, cache, node, changed, moveTickets }: ImportDependencies,
  record: EventRecord,
): Promise<ImportOutcome> {
  const id = eventId(record);
  try {
    await expireSoon(redis, [id]);
    const result = await changeEvent(database, record, node);
    if (!result.changed)
      return {
        outcome: "refused",
        reason:
          `capacity ${record.totalCapacity} is below the ` + `${result.sold} tickets that are sold`,
      };
    await cache.invalidate();
    await cache.forget(id);
    const { available, epoch } = result;
    const endsAtMs = Date.parse(record.endsAt);
    await cache.renew({ eventId: id, available, epoch, batch: 0, endsAtMs }, epoch);
    changed(id, { available, epoch, status: record.status });
    moveTickets();
    return { outcome: "updated" };
  } catch (error) {
    // This record was rolled back. The others continue.
    if (isServerError(error) && !isUnavailable(error))
      return { outcome: "refused", reason: `the database refused the change (${error.code})` };
    throw error;
  }
}
