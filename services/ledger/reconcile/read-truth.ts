import type { Connection, Database } from "../../../lib/database/pool.ts";
import type { EventNumbers, FoundRow } from "./discrepancy.ts";
import { FIRST_ID, idAfter, type Part, type PartSize, partsFrom } from "./parts.ts";
import {
  CANCELLATION_DIFFERENCES,
  EVENT_NUMBERS,
  FOLLOW_THE_INDEX,
  STRAY_ROWS,
  TRANSACTION_DIFFERENCES,
} from "./reconcile.sql.ts";

/** What one snapshot says of some events. */
export type Truths = {
  numbers: EventNumbers[];
  found: FoundRow[];
  /** First event that was not judged. Undefined: there is none. */
  next: string | undefined;
};

/** Numbers that the parts of a large event add up to. The others are the same in each part. */
const COUNTED = ["active", "unbooked", "failed", "booked"] as const;

/**
 * Judges the next events from `first` on (or one event) in one snapshot: a running sale makes no
 * difference.
 */
export function readTruths(
  database: Database,
  { first = FIRST_ID, only, size }: { first?: string | undefined; only?: string; size: PartSize },
  listedMax: number,
): Promise<Truths> {
  return database.transaction(async (connection) => {
    await connection.query({ text: FOLLOW_THE_INDEX });
    const numbers = new Map<string, EventNumbers>();
    const found = new Map<string, FoundRow>();
    let last = first;
    for await (const part of partsFrom(connection, only ?? first, only, size)) {
      await readPart(connection, part, { numbers, found, listedMax });
      last = part[1];
    }
    return {
      numbers: [...numbers.values()],
      found: [...found.values()],
      next: only === undefined ? idAfter(last) : undefined,
    };
  }, "REPEATABLE READ");
}

async function readPart(
  connection: Connection,
  part: Part,
  into: {
    numbers: Map<string, EventNumbers>;
    found: Map<string, FoundRow>;
    listedMax: number;
  },
): Promise<void> {
  for (const row of await connection.query<EventNumbers>({
    text: EVENT_NUMBERS,
    values: [...part],
  })) {
    const before = into.numbers.get(row.eventId);
    if (before === undefined) into.numbers.set(row.eventId, row);
    else for (const name of COUNTED) before[name] += row[name];
  }
  for (const text of [TRANSACTION_DIFFERENCES, CANCELLATION_DIFFERENCES, STRAY_ROWS])
    for (const row of await connection.query<FoundRow>({
      text,
      values: [...part, into.listedMax + 1],
    })) {
      const key = [row.kind, row.eventId, row.transactionId, row.userId].join();
      const before = into.found.get(key);
      if (before === undefined) into.found.set(key, row);
      else before.found += row.found;
    }
}
