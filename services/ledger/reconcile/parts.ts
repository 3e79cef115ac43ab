import type { Connection } from "../../../lib/database/pool.ts";
import { NEXT_CUSTOMER, NEXT_EVENT } from "./reconcile.sql.ts";

/** Bounds of a part: `$1` to `$4` of its statements. All are inclusive. */
export type Part = readonly [
  firstEvent: string,
  lastEvent: string,
  firstCustomer: string,
  lastCustomer: string,
];

/** `rows`: of one table in a part. `events`: in a part. */
export type PartSize = { rows: number; events: number };

/** The slowest statement of 50,000 tickets takes about 0.6 s on a busy machine. See ADR-0062. */
export const PART_SIZE: PartSize = { rows: 50_000, events: 5_000 };

export const FIRST_ID = "00000000-0000-0000-0000-000000000000";
export const LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/**
 * Finds the events from `first` on that are judged together, in one snapshot. Yields one part, or
 * the parts of one large event. Bounds what each statement reads.
 */
export async function* partsFrom(
  connection: Connection,
  first: string,
  last: string | undefined,
  { rows, events }: PartSize,
): AsyncGenerator<Part> {
  const next = await ask(connection, NEXT_EVENT, [first, events, rows]);
  if (next !== first) {
    yield [first, last ?? (next === null ? LAST_ID : idBefore(next)), FIRST_ID, LAST_ID];
    return;
  }
  for (let customer: string | null = FIRST_ID; customer !== null;) {
    const following: string | null = await ask(connection, NEXT_CUSTOMER, [first, customer, rows]);
    // One customer with more rows than a part is a part.
    const end: string =
      following === null ? LAST_ID : following === customer ? customer : idBefore(following);
    yield [first, first, customer, end];
    customer = idAfter(end) ?? null;
  }
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
export function idAfter(id: string): string | undefined {
  return id === LAST_ID ? undefined : moved(id, 1n);
}

function idBefore(id: string): string {
  return moved(id, -1n);
}

function moved(id: string, by: bigint): string {
  const digits = (BigInt(`0x${id.replaceAll("-", "")}`) + by).toString(16).padStart(32, "0");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
