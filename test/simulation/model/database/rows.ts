import type { EventStatus } from "../../../../domain/event-record.ts";

/** SQL clauses that a test can remove. The checks must then find the mistake. */
export type BrokenClauses = {
  epoch?: true;
  batch?: true;
  rowLock?: true;
  counts?: true;
  uniqueKey?: true;
  importEpoch?: true;
  prefix?: true;
  /** The CHECK on what the ownership row has left. */
  availableCheck?: true;
  /** The check of the start in the statement of several events. */
  manyStart?: true;
};

export type TicketRow = {
  id: string;
  transactionId: string;
  userId: string;
  ordinal: number;
  purchasedAtMs: number;
  cancelledAtMs: number | undefined;
};
export type PendingRow = {
  transactionId: string;
  quantity: number;
  status: "pending" | "failed";
  epoch: number;
  batch: number;
  createdAtMs: number;
};
export type Rows = {
  epoch: number;
  batch: number;
  total: number;
  status: EventStatus;
  startsAtMs: number;
  /** What the ledger has booked. */
  capacity: number;
  /** The ownership row's: what can be sold now. */
  available: number;
  tickets: Map<string, TicketRow>;
  pending: Map<string, PendingRow>;
  /** Sums by batch: see `batchKey`. */
  booked: Map<string, number>;
};

/** What an import changes. */
export type EventChange = Pick<Rows, "total" | "status" | "startsAtMs">;

/** A server process. `generation` grows when the server is replaced. */
export type Server = { readonly generation: number };

/** Makes an error of PostgreSQL by its SQLSTATE. Its statement has changed nothing. */
export function sqlError(code: string): Error {
  return Object.assign(new Error(`SQLSTATE ${code}`), { code });
}

/** The ledger's key of a batch of one event. */
export function batchKey({ epoch, batch }: { epoch: number; batch: number }): string {
  return `${epoch}/${batch}`;
}

/** Sums of pending rows, by batch. */
export function sumsByBatch(rows: Iterable<PendingRow>): Map<string, number> {
  const sums = new Map<string, number>();
  for (const row of rows) sums.set(batchKey(row), (sums.get(batchKey(row)) ?? 0) + row.quantity);
  return sums;
}

/** A row lock. Waiting tasks get it in order of arrival. */
export class RowLock {
  private held = false;
  private waiting: { task: () => void; refused: () => void }[] = [];

  get isHeld(): boolean {
    return this.held;
  }
  take(task: () => void, refused: () => void = () => undefined): void {
    if (this.held) this.waiting.push({ task, refused });
    else {
      this.held = true;
      task();
    }
  }
  /** A lock time-out: refuses a task that still waits. */
  stopWaiting(task: () => void): void {
    const late = this.waiting.find((one) => one.task === task);
    if (late === undefined) return;
    this.waiting = this.waiting.filter((one) => one !== late);
    late.refused();
  }
  free(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.held = false;
    else next.task();
  }
}
