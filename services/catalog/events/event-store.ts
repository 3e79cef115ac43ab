import type { EventRecord } from "../../../domain/event-record.ts";
import { fold } from "../../../domain/text-folding.ts";
import type { Connection } from "../../../lib/database/pool.ts";
import { eventId } from "../../../lib/ids.ts";
import { cityKey } from "./city-key.ts";

/** A record as PostgreSQL holds it, without the availability. `isFolded`: its keys are of today. */
export type StoredRecord = EventRecord & { id: string; isFolded: boolean };
type RecordRow = Omit<EventRecord, "sequence"> & { sequence: number | null };
type StoredRow = RecordRow & { id: string; keys: (string | null)[] };

const RECORD_COLUMNS = `
  source, source_id AS "sourceId", name, type, location, country, url,
  to_char(date, 'YYYY-MM-DD') AS date, to_char(start_time, 'HH24:MI') AS "startTime",
  to_char(end_time, 'HH24:MI') AS "endTime", duration, time_zone AS "timeZone",
  to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "startsAt",
  to_char(ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "endsAt",
  total_capacity AS "totalCapacity", status, sequence`;

/** Reads the stored versions of records, by id. Leaves out records that are new. */
export async function storedRecords(
  connection: Connection,
  records: readonly EventRecord[],
): Promise<Map<string, StoredRecord>> {
  const rows = await connection.query<StoredRow>({
    name: "catalog-stored-records",
    text: `
      SELECT id, ARRAY[name_key, type_key, location_key, city_key] AS keys, ${RECORD_COLUMNS}
      FROM event WHERE id = ANY($1::uuid[])`,
    values: [records.map(eventId)],
  });
  return new Map(
    rows.map(({ keys, ...row }) => {
      const { name_key, type_key, location_key, city_key } = keysOf(row);
      const today = [name_key, type_key, location_key, city_key];
      const isFolded = today.every((key, index) => key === keys[index]);
      return [row.id, { ...recordOf(row), id: row.id, isFolded }];
    }),
  );
}

/** A row without a sequence is a record without one. */
function recordOf({ sequence, ...record }: RecordRow): EventRecord {
  return sequence === null ? record : { ...record, sequence };
}

/** Records of one answer on the bus, whose messages hold 1 MiB. */
const UPCOMING_MAX = 200;

/** Reads the events of a source that are not over and not cancelled, in the order of its ids. */
export async function upcomingRecords(
  connection: Connection,
  source: string,
  after: string,
): Promise<EventRecord[]> {
  const rows = await connection.query<RecordRow>({
    name: "catalog-upcoming-records",
    text: `SELECT ${RECORD_COLUMNS} FROM event
      WHERE source = $1 AND source_id > $2 AND ends_at > now() AND status <> 'cancelled'
      ORDER BY source_id LIMIT ${UPCOMING_MAX}`,
    values: [source, after],
  });
  return rows.map(recordOf);
}

/**
 * Returns the records under the ids that the catalog has for them. A record keeps its own id if it
 * is stored, or if no event of its other id starts at the same moment.
 */
export async function withKnownIds(
  connection: Connection,
  records: readonly EventRecord[],
): Promise<EventRecord[]> {
  const others = new Map<EventRecord, EventRecord>();
  for (const { otherId, ...record } of records)
    if (otherId !== undefined) others.set(record, { ...record, sourceId: otherId });
  if (others.size === 0) return [...records];
  const stored = await storedRecords(connection, [...others.keys(), ...others.values()]);
  const renamed = new Map<string, EventRecord>();
  for (const [record, other] of others) {
    const known = stored.get(eventId(other));
    const isOther = !stored.has(eventId(record)) && known?.startsAt === record.startsAt;
    renamed.set(eventId(record), isOther ? other : record);
  }
  return records.map((record) => renamed.get(eventId(record)) ?? record);
}

const ROWS = `
  json_to_recordset($1::json) AS new (id uuid, name text, name_key text, type text, type_key text,
    location text, location_key text, city_key text, country text, url text, date date,
    start_time time, end_time time, duration integer, time_zone text, starts_at timestamptz,
    ends_at timestamptz, total_capacity integer, status text, sequence integer, source text,
    source_id text)`;

/** `city_key`: only where it is another than the folded location. */
function keysOf({ name, type, location }: Pick<EventRecord, "name" | "type" | "location">) {
  const locationKey = fold(location);
  const city = cityKey(locationKey);
  return {
    name_key: fold(name),
    type_key: fold(type),
    location_key: locationKey,
    city_key: city === locationKey ? null : city,
  };
}

function rowOf(record: EventRecord) {
  return {
    id: eventId(record),
    name: record.name,
    type: record.type,
    location: record.location,
    ...keysOf(record),
    country: record.country,
    url: record.url,
    date: record.date,
    start_time: record.startTime,
    end_time: record.endTime,
    duration: record.duration,
    time_zone: record.timeZone,
    starts_at: record.startsAt,
    ends_at: record.endsAt,
    total_capacity: record.totalCapacity,
    status: record.status,
    sequence: record.sequence,
    source: record.source,
    source_id: record.sourceId,
  };
}

/**
 * Inserts new events in one statement; a trigger keeps their words. The order of ids keeps two
 * imports of one feed from a deadlock. Returns the ids that it inserted, without those that another
 * import inserted meanwhile.
 */
export async function insertEvents(
  connection: Connection,
  records: readonly EventRecord[],
): Promise<Set<string>> {
  if (records.length === 0) return new Set();
  const rows = await connection.query<{ id: string }>({
    name: "catalog-insert-events",
    text: `
      INSERT INTO event (id, name, name_key, type, type_key, location, location_key, city_key,
        country, url, date, start_time, end_time, duration, time_zone, starts_at, ends_at,
        total_capacity, capacity, status, sequence, source, source_id)
      SELECT id, name, name_key, type, type_key, location, location_key, city_key, country, url,
        date, start_time, end_time, duration, time_zone, starts_at, ends_at, total_capacity,
        total_capacity, status, sequence, source, source_id
      FROM ${ROWS} ON CONFLICT DO NOTHING RETURNING id`,
    values: [JSON.stringify(records.map(rowOf).sort((one, other) => (one.id < other.id ? -1 : 1)))],
  });
  return new Set(rows.map(({ id }) => id));
}

/**
 * Updates name, type, place, address and version of events, which no sale depends on. The caller
 * holds the rows' locks.
 */
export async function describeEvents(
  connection: Connection,
  records: readonly EventRecord[],
): Promise<void> {
  await connection.query({
    name: "catalog-describe-events",
    text: `
      UPDATE event SET name = new.name, name_key = new.name_key, type = new.type,
        type_key = new.type_key, location = new.location, location_key = new.location_key,
        city_key = new.city_key, country = new.country, url = new.url,
        sequence = coalesce(new.sequence, event.sequence)
      FROM ${ROWS} WHERE event.id = new.id`,
    values: [JSON.stringify(records.map(rowOf))],
  });
}
