import { type Booked, BOOK_PENDING } from "../../../lib/database/ledger-booking.ts";
import type { Connection, Database, Statement } from "../../../lib/database/pool.ts";
import { EVENTS_WAITING } from "../../../services/ledger/booking/outbox-sweeper.ts";
import type { SimulatedDatabase, Transaction } from "./database.ts";
import type { EventTables } from "./event-tables.ts";
import type { Kernel } from "./kernel.ts";
import type { Network } from "./network.ts";
import { type BrokenClauses, type PendingRow, sqlError } from "./rows.ts";

type Done = (rows: object[]) => void;
type Fail = (error: Error) => void;
export type LedgerWorld = {
  kernel: Kernel;
  network: Network;
  database: SimulatedDatabase;
  broken: BrokenClauses;
};

/** Small, so that short histories have longer backlogs. */
export const PREFIX_MAX = 2;

/**
 * Simulates PostgreSQL for the ledger's real code, with one model per statement. `committed` is
 * called at the server after each COMMIT that moved rows.
 */
export function ledgerDatabase(
  world: LedgerWorld,
  nodeId: string,
  committed: () => void,
): Database {
  const { network, database, kernel } = world;

  const transaction = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    const open = database.begin(nodeId);
    const send = (statement: Statement): Promise<object[]> =>
      network.ask<object[]>(nodeId, (done, fail) =>
        open.gone ? fail(new Error("connection cut")) : run(world, open, statement, done, fail),
      );
    try {
      const result = await work({ query: (statement) => send(statement) as Promise<never[]> });
      await network.ask<undefined>(nodeId, (done, fail) => {
        if (!open.commit()) return fail(new Error("connection cut"));
        committed();
        done(undefined);
      });
      return result;
    } catch (error) {
      // The client closes the connection, so PostgreSQL rolls back.
      kernel.after(1, "postgres", () => open.end());
      throw error;
    }
  };
  return {
    transaction,
    withConnection: transaction,
    load: () => ({ used: 0, idle: 0, waiting: 0 }),
    query: ({ name, text, values }: Statement) =>
      network.ask<object[]>(nodeId, (done) => {
        if (name === "left-to-sell")
          return done((values?.[0] as string[]).map((id) => available(database.event(id))));
        if (text !== EVENTS_WAITING)
          throw new Error(`The simulation has no model of this statement: ${text}`);
        const olderThanMs = Number(values?.[0]) * 1_000;
        done(
          [...database.events.values()]
            .filter((event) => waits(event, kernel.nowMs - olderThanMs))
            .map(({ eventId }) => ({ eventId })),
        );
      }) as Promise<never[]>,
    maintain: () => Promise.resolve(),
    close: () => Promise.resolve(),
    get sequelize(): never {
      throw new Error("The ledger uses no Sequelize models");
    },
  };
}

function run(
  world: LedgerWorld,
  open: Transaction,
  { name, text, values = [] }: Statement,
  done: Done,
  fail: Fail,
): void {
  const { database } = world;
  if (name === "lock-events") {
    const ids = (values[0] as string[]).filter((id) => database.events.has(id)).sort();
    const next = (index: number): void => {
      const id = ids[index];
      if (id === undefined) return done(ids.map((eventId) => ({ id: eventId })));
      open.lock(database.event(id).eventRow, () => next(index + 1));
    };
    return next(0);
  }
  if (name === "follow-the-index") return done([]);
  if (name === "fail-pending") {
    const rows = pendingOf(database.event(values[0] as string));
    open.write(() => rows.forEach((row) => (row.status = "failed")));
    return done([{ rows: rows.length }]);
  }
  if (text !== BOOK_PENDING)
    throw new Error(`The simulation has no model of this statement: ${text}`);
  const booked: Booked[] = [];
  for (const eventId of values[0] as string[]) {
    const result = book(world, open, database.event(eventId), values[1] as number);
    if (typeof result === "string") {
      open.end();
      return fail(sqlError(result));
    }
    if (result !== undefined) booked.push(result);
  }
  done(booked);
}

/** Models BOOK_PENDING for one event. Returns the SQLSTATE if a constraint refuses it. */
function book(
  { kernel, broken }: LedgerWorld,
  open: Transaction,
  event: EventTables,
  maxRows: number,
): Booked | string | undefined {
  const { rows, eventId } = event;
  const waiting = pendingOf(event).sort((a, b) => a.epoch - b.epoch || a.batch - b.batch);
  const last = waiting[maxRows - 1];
  // Planted mistake: books the youngest rows. Never the whole backlog, which would hide the
  // mistake.
  const part = (): PendingRow[] =>
    broken.prefix === true
      ? waiting.slice(-Math.min(maxRows, PREFIX_MAX))
      : waiting.filter((row) => !isAfter(row, last));
  const taken = part();
  if (taken.length === 0) return undefined;
  const quantity = taken.reduce((sum, row) => sum + row.quantity, 0);
  const capacity = rows.capacity + quantity;
  if (capacity < 0 || capacity > rows.total || kernel.nowMs < event.refusesBookingUntilMs)
    return "23514";
  if (taken.some(({ transactionId }) => rows.booked.has(transactionId))) return "23505";
  open.write(() => {
    event.rows.capacity += quantity;
    for (const row of taken) {
      event.rows.pending.delete(row.transactionId);
      event.rows.booked.set(row.transactionId, row.quantity);
    }
    event.onChange();
  });
  // No model reads what follows: copies of transactions are not simulated.
  const unread = { epoch: 0, batch: 0, transactions: [] };
  return { eventId, rows: taken.length, quantity, more: last !== undefined, ...unread };
}

function isAfter(row: PendingRow, last: PendingRow | undefined): boolean {
  return (
    last !== undefined &&
    (row.epoch > last.epoch || (row.epoch === last.epoch && row.batch > last.batch))
  );
}

function pendingOf(event: EventTables): PendingRow[] {
  return [...event.rows.pending.values()].filter(({ status }) => status === "pending");
}

function available({ eventId, rows }: EventTables): object {
  return {
    eventId,
    available: rows.available,
    epoch: rows.epoch,
    batch: rows.batch,
    endsAtMs: 0,
  };
}

function waits(event: EventTables, beforeMs: number): boolean {
  const [oldest] = pendingOf(event).sort((a, b) => a.epoch - b.epoch || a.batch - b.batch);
  return oldest !== undefined && oldest.createdAtMs < beforeMs;
}
