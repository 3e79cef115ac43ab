import type { EventTables, Rows } from "./event-tables.ts";
import type { Kernel } from "./kernel.ts";
import { RowLock } from "./row-lock.ts";

/** An error of PostgreSQL's own, by its SQLSTATE: the statement has certainly done nothing. */
export function sqlError(code: string): Error {
  return Object.assign(new Error(`SQLSTATE ${code}`), { code });
}

/** One transaction of several statements: what it locks it holds, and what it writes others see, all at its end. */
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

  /** The server was replaced, or the client's connection has ended. */
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
  /** False where there was nothing left to commit. */
  commit(): boolean {
    const sound = !this.gone;
    if (sound) for (const effect of this.effects) effect();
    this.end();
    return sound;
  }
  end(): void {
    this.over = true;
    for (const row of this.locks.splice(0)) row.free();
  }
}

/** PostgreSQL: the events' tables, what a backup holds of them, and the connections that it ends. */
export class SimulatedDatabase {
  readonly events = new Map<string, EventTables>();
  /** Grows when the server is replaced: what was under way is gone with the old one. */
  generation = 0;
  private readonly kernel: Kernel;
  private readonly open = new Map<string, Set<Transaction>>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  event(eventId: string): EventTables {
    const tables = this.events.get(eventId);
    if (tables === undefined) throw new Error(`There is no event ${eventId}`);
    return tables;
  }

  begin(nodeId: string): Transaction {
    const transaction = new Transaction(this);
    const open = this.open.get(nodeId) ?? new Set();
    this.open.set(nodeId, open.add(transaction));
    return transaction;
  }
  /** The node has died: its transactions end as PostgreSQL hears of it. */
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
