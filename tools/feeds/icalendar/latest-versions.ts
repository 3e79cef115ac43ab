import type { FeedRecord, ReadRecord } from "../feed-record.ts";
import type { Version } from "./read-event.ts";

/** `version`: absent if the event has no UID. */
export type VersionedRecord = { record: ReadRecord; version?: Version };

/** Records that are held until the end of the feed. More are decided in parts. */
const HELD_MAX = 100_000;

type Held = { record: Extract<FeedRecord, { event: unknown }>; version: Version };

/**
 * Keeps the last version of each event of a calendar (RFC 5546, 2.1.5): of one UID the highest
 * SEQUENCE; of equal ones that start at the same time the last DTSTAMP. Events of one UID and
 * SEQUENCE with several starts are different events, whose ids get the start.
 */
export async function* latestVersions(
  records: AsyncIterable<VersionedRecord>,
): AsyncGenerator<FeedRecord> {
  let held = new Map<string, Held[]>();
  let others: VersionedRecord[] = [];
  let count = 0;
  const release = function* (): Generator<FeedRecord> {
    const all = [...held.values()].flatMap((versions) => [...decided(versions)]);
    for (const other of others) all.push(unlessLater(other, held));
    held = new Map();
    others = [];
    count = 0;
    yield* all.sort((one, other) => one.number - other.number);
  };
  try {
    for await (const { record, version } of records) {
      if (version === undefined || !("event" in record))
        others.push({ record, ...(version === undefined ? {} : { version }) });
      else {
        const versions = held.get(version.uid);
        if (versions === undefined) held.set(version.uid, [{ record, version }]);
        else versions.push({ record, version });
      }
      if (++count >= HELD_MAX) yield* release();
    }
  } catch (error) {
    // The events before the fault are good.
    yield* release();
    throw error;
  }
  yield* release();
}

/** A cancellation counts unless the feed has the event with a later SEQUENCE. */
function unlessLater(
  { record, version }: VersionedRecord,
  held: ReadonlyMap<string, readonly Held[]>,
): FeedRecord {
  const later = held
    .get(version?.uid ?? "")
    ?.find((other) => other.version.sequence > (version?.sequence ?? 0));
  if (!("cancels" in record) || later === undefined) return record;
  const { number, name } = record;
  return { number, name, repeats: `record ${later.record.number} has a later SEQUENCE` };
}

function* decided(versions: readonly Held[]): Generator<FeedRecord> {
  const sequence = versions.reduce((most, { version }) => Math.max(most, version.sequence), 0);
  const latest = new Map<string, Held>();
  for (const held of versions) {
    const { start, sequence: own, stamp } = held.version;
    const other = latest.get(start);
    if (own === sequence && (other === undefined || other.version.stamp < stamp))
      latest.set(start, held);
  }
  const [first] = latest.values();
  for (const held of versions) {
    const { record, version } = held;
    const { number, name } = record;
    const stays = latest.get(version.start);
    if (version.sequence < sequence)
      yield { number, name, repeats: `record ${first?.record.number} has a later SEQUENCE` };
    else if (stays !== held)
      yield { number, name, repeats: `record ${stays?.record.number} is the same event` };
    else {
      const { event } = record;
      const [sourceId, otherId] =
        latest.size > 1 ? [longId(version), version.uid] : [event.sourceId, longId(version)];
      yield { ...record, event: { ...event, sourceId, otherId } };
    }
  }
}

/**
 * Id of an event that shares its UID. The feed may lose or gain the other events of that UID, so
 * the catalog looks for both ids.
 */
function longId({ uid, start }: Version): string {
  return `${uid} ${start}`;
}
