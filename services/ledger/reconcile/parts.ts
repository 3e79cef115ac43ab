import type { Connection } from "../../../lib/database/pool.ts";
import { NEXT_CUSTOMER, NEXT_EVENT } from "./reconcile.sql.ts";

/**
 * What a few statements compare: `events`, some events; `event`, the numbers of one large event;
 * `customers`, some customers of it. All bounds are inclusive.
 */
export type Part =
  | { of: "events" | "event"; first: string; last: string }
  | { of: "customers"; event: string; first: string; last: string };

/** Where a part begins. With a customer: the event's numbers are compared. */
export type Position = { event: string; customer?: string };

/** `rows`: of one table in a part. `events`: in a part. */
export type PartSize = { rows: number; events: number };

/** The largest part, in rows of the largest table. See ADR-0062. */
export const PART_SIZE: PartSize = { rows: 50_000, events: 5_000 };
/** What the statements of a part should take together: a quarter of what they may take. */
const PART_MS = 500;
/** The first part shows how fast PostgreSQL is: its pages may have to come from the disk. */
const ROWS_AT_FIRST = 5_000;
const ROWS_MIN = 500;

/** The size of a call's first part. */
export function firstSize({ rows, events }: PartSize): PartSize {
  return { rows: Math.min(rows, ROWS_AT_FIRST), events };
}

/** The size of the next part, from how long this one took. */
export function nextSize({ rows, events }: PartSize, tookMs: number, most: PartSize): PartSize {
  const factor = Math.min(1.5, PART_MS / Math.max(1, tookMs));
  return { rows: Math.max(ROWS_MIN, Math.min(most.rows, Math.round(rows * factor))), events };
}

export const FIRST_ID = "00000000-0000-0000-0000-000000000000";
export const LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** Finds the part that begins at a position, and where the next one begins (none: undefined). */
export async function partFrom(
  connection: Connection,
  { event, customer }: Position,
  last: string | undefined,
  { rows, events }: PartSize,
): Promise<{ part: Part; next: Position | undefined }> {
  if (customer !== undefined) {
    const following = await ask(connection, NEXT_CUSTOMER, [event, customer, rows]);
    // One customer with more rows than a part is a part.
    const end =
      following === null ? LAST_ID : following === customer ? customer : idBefore(following);
    const next = idAfter(end);
    return {
      part: { of: "customers", event, first: customer, last: end },
      next: next === undefined ? behind(event) : { event, customer: next },
    };
  }
  const next = await ask(connection, NEXT_EVENT, [event, events, rows]);
  if (next === event)
    return {
      part: { of: "event", first: event, last: event },
      next: { event, customer: FIRST_ID },
    };
  const end = last ?? (next === null ? LAST_ID : idBefore(next));
  return { part: { of: "events", first: event, last: end }, next: behind(end) };
}

function behind(event: string): Position | undefined {
  const next = idAfter(event);
  return next === undefined ? undefined : { event: next };
}

async function ask(
  connection: Connection,
  text: string,
  values: unknown[],
): Promise<string | null> {
  const [row] = await connection.query<{ next: string | null }>({ text, values });
  return row?.next ?? null;
}

/** The following id in PostgreSQL's order. Undefined after the last. */
function idAfter(id: string): string | undefined {
  return id === LAST_ID ? undefined : moved(id, 1n);
}

function idBefore(id: string): string {
  return moved(id, -1n);
}

function moved(id: string, by: bigint): string {
  const digits = (BigInt(`0x${id.replaceAll("-", "")}`) + by).toString(16).padStart(32, "0");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
