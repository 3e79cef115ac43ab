import type { Connection, Database } from "../../../lib/database/pool.ts";
import type { EventNumbers, FoundRow, StrayKind } from "./discrepancy.ts";
import { type Part, partFrom, type PartSize, type Position } from "./parts.ts";
import {
  CUSTOMERS_COMPARED,
  EVENT_NUMBERS,
  EVENTS_COMPARED,
  FOLLOW_THE_INDEX,
  WAITING_DIFFERENCES,
} from "./reconcile.sql.ts";

/** What PostgreSQL says of a part. */
export type Truths = {
  part: Part;
  /** Of events that are known. Empty for a part of customers. */
  numbers: EventNumbers[];
  found: FoundRow[];
  /** Where the next part begins. Undefined: there is none. */
  next: Position | undefined;
  /** Duration of each statement, also of that which found the part. */
  tookMs: number[];
};

type CountedRow = Omit<EventNumbers, "total" | "capacity"> & {
  total: number | null;
  capacity: number | null;
  /** Rows of all tables that name the event. */
  rows: number;
  misdated: number;
  completed: number;
  empty: number;
};

/**
 * Judges the part at a position. Each statement has its own snapshot, and compares only what it
 * reads itself: a running sale makes no difference. `only`: the one event to judge.
 */
export async function readTruths(
  database: Database,
  from: Position,
  { only, size }: { only?: string | undefined; size: PartSize },
  listedMax: number,
): Promise<Truths> {
  const tookMs: number[] = [];
  const timed = <T>(work: (connection: Connection) => Promise<T>, follow = true): Promise<T> =>
    database.transaction(async (connection) => {
      if (follow) await connection.query({ text: FOLLOW_THE_INDEX });
      const beganMs = performance.now();
      const result = await work(connection);
      tookMs.push(performance.now() - beganMs);
      return result;
    });
  const run = <Row extends object>(text: string, values: unknown[], follow?: boolean) =>
    timed((connection) => connection.query<Row>({ text, values }), follow);
  const { part, next } = await timed((connection) => partFrom(connection, from, only, size));
  const [first, last, limit] = [part.first, part.last, listedMax + 1];
  const found: FoundRow[] = [];
  const numbers: EventNumbers[] = [];
  if (part.of === "customers") {
    for (const text of CUSTOMERS_COMPARED)
      found.push(...(await run<FoundRow>(text, [part.event, first, last, limit])));
    return { part, numbers, found, next, tookMs };
  }
  // Of a large event all tickets are read, perhaps best in the order of the table.
  for (const row of await run<CountedRow>(EVENT_NUMBERS, [first, last], part.of === "events")) {
    if (isKnown(row)) numbers.push(row);
    found.push(...strayRows(row));
  }
  for (const text of [...(part.of === "events" ? EVENTS_COMPARED : []), WAITING_DIFFERENCES])
    found.push(...(await run<FoundRow>(text, [first, last, limit])));
  return { part, numbers, found, next, tookMs };
}

function isKnown(row: CountedRow): row is CountedRow & EventNumbers {
  return row.total !== null;
}

/** Rows that must not exist, by kind. */
function strayRows({ eventId, total, rows, misdated, completed, empty }: CountedRow): FoundRow[] {
  const counts: [StrayKind, number][] = [
    ["unknown-event", total === null ? rows : 0],
    ["ticket-date", misdated],
    ["completed-rows", completed],
    ["empty-rows", empty],
  ];
  return counts
    .filter(([, found]) => found > 0)
    .map(([kind, found]) => ({ kind, eventId, expected: 0, found }));
}
