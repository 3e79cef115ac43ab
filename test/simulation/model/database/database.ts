import type { EventTables } from "./event-tables.ts";
import type { Kernel } from "../kernel.ts";
import type { RowLock } from "./rows.ts";
import type { Rows } from "./rows.ts";

/** Simulates a transaction. Its locks and writes take effect until, and at, its end. */
export class Transaction {
  private readonly database: SimulatedDatabase;
  private readonly generation: number;
  private readonly locks: RowLock[] = [];
  private readonly effects: (() => void)[] = [];
  private over = false;

  constructor(database: SimulatedDatabase) {
    this.database = database;
    this.generation = database.generation;
  }

  /** True if the server was replaced or the client's connection has ended. */
  get gone(): boolean {
    return this.over || this.generation !== this.database.generation;
  }
  lock(row: RowLock, then: () => void): void {
    row.take(() => {
      if (this.over) return row.free();
      this.locks.push(row);
      then();
    });
  }
  write(effect: () => void): void {
    this.effects.push(effect);
  }
  /** Commits. Returns false if the transaction was gone already. */
  commit(): boolean {
    const committed = !this.gone;
    if (committed) for (const effect of this.effects) effect();
    this.end();
    return committed;
  }
  end(): void {
    this.over = true;
    for (const row of this.locks.splice(0)) row.free();
  }
}

/** Simulates PostgreSQL: tables of events, backups, and open transactions per node. */
export class SimulatedDatabase {
  readonly events = new Map<string, EventTables>();
  /** Grows when the server is replaced. Older transactions are lost. */
  generation = 0;
  private readonly kernel: Kernel;
  private readonly open = new Map<string, Set<Transaction>>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  event(eventId: string): EventTables {
    const tables = this.events.get(eventId);
    if (tables === undefined) throw new Error(`Unknown event ${eventId}`);
    return tables;
  }

  begin(nodeId: string): Transaction {
    const transaction = new Transaction(this);
    const open = this.open.get(nodeId) ?? new Set();
    this.open.set(nodeId, open.add(transaction));
    return transaction;
  }
  /** Ends a dead node's transactions after a short delay. */
  disconnect(nodeId: string): void {
    this.kernel.after(this.kernel.between(0, 20), "postgres", () => {
      for (const transaction of this.open.get(nodeId) ?? []) transaction.end();
      this.open.delete(nodeId);
    });
  }

  backup(): Map<string, Rows> {
    return new Map([...this.events].map(([eventId, { rows }]) => [eventId, structuredClone(rows)]));
  }
  restore(backup: Map<string, Rows>): void {
    this.generation += 1;
    for (const [eventId, rows] of backup) this.event(eventId).replace(structuredClone(rows));
  }
}
