import type { Command } from "../../../domain/event-state.ts";
import { refused } from "../../../domain/refusal.ts";
import type { CommittedBatch, HeldLease, Outcome, WorkerPorts } from "../../../services/purchasing/ports.ts";
import { Workers } from "../../../services/purchasing/workers.ts";
import { type BrokenClauses, EVENT_ID, SimulatedDatabase } from "./database.ts";
import { Kernel } from "./kernel.ts";

/** What a test puts in place of a sound part. */
export type Plant = { clauses?: BrokenClauses; ports?: (ports: WorkerPorts, world: World) => WorkerPorts; sweeperOff?: true };

export type SimulatedNode = { id: string; workers: Workers };

/** What everything goes through on its way; long delays are longer than leases and time-outs, and some never arrive. */
const LOST_AFTER_MS = 2_500;
export const CUSTOMER_LIMIT = 4;

/**
 * Nodes with real workers around one simulated PostgreSQL, lock server, queue and bus. Calls are late, lost and repeated; nodes freeze, die and
 * disagree about who owns the event; the lock server forgets; last night's backup comes back under a worker that lives on.
 */
export class World {
  readonly kernel: Kernel;
  readonly database: SimulatedDatabase;
  nodes: SimulatedNode[] = [];
  /** While true things go wrong. */
  faulty = true;
  /** The last availability any worker copied to Redis: what a worker must not begin from. */
  copied: number;
  private readonly plant: Plant;
  private readonly views = new Map<string, string>();
  private leaseHolder: { nodeId: string; untilMs: number } | undefined;
  private messages = 0;
  private nodeCount = 0;
  private ticketCount = 0;

  constructor(seed: number, total: number, plant: Plant) {
    this.kernel = new Kernel(seed);
    this.plant = plant;
    this.copied = total;
    // In a quarter of the histories the event starts in the middle.
    const startsAtMs = this.kernel.chance(0.25) ? 4_000 : 1_000_000_000;
    this.database = new SimulatedDatabase(this.kernel, total, startsAtMs, plant.clauses ?? {});
    for (let count = 0; count < 2; count++) this.addNode();
    this.sweep();
  }

  addNode(): SimulatedNode {
    const id = `node-${++this.nodeCount}`;
    const ports = this.ports(id);
    const node = { id, workers: new Workers(this.plant.ports?.(ports, this) ?? ports) };
    this.nodes.push(node);
    return node;
  }

  /** All nodes come to name the same owner, or, while views differ, each its own. */
  spreadViews(agree: boolean): void {
    const alive = this.nodes.filter(({ id }) => !this.kernel.isDead(id));
    const owner = alive[this.kernel.between(0, alive.length - 1)];
    for (const { id } of alive) {
      const choice = agree ? owner : alive[this.kernel.between(0, alive.length - 1)];
      if (choice !== undefined) this.views.set(id, choice.id);
    }
  }

  killNode(node: SimulatedNode): void {
    this.kernel.kill(node.id);
    this.nodes = this.nodes.filter((other) => other !== node);
    this.addNode();
    this.spreadViews(true);
  }

  /** An import makes the hall larger or smaller while it sells; not every node hears of it. */
  changeTotal(): void {
    this.database.change(this.kernel.between(3, 16), this.kernel.between(0, 200), () => {
      for (const { id, workers } of this.nodes) if (!this.isLost()) this.kernel.after(this.delay(), id, () => workers.forget(EVENT_ID));
    });
  }

  /** A lock server restarted from an old snapshot. */
  forgetLease(): void {
    this.leaseHolder = undefined;
  }

  /** A call over the bus, from a gateway or another node; undefined when no answer came in time. */
  call(node: SimulatedNode, command: Command, forwarded: boolean, from: string, timeoutMs: number): Promise<Outcome | undefined> {
    return new Promise((resolve) => {
      const timer = this.kernel.after(timeoutMs, from, () => resolve(undefined));
      const answered = (outcome: Outcome): void => {
        if (!this.isLost())
          this.kernel.after(this.delay(), from, () => {
            timer.cancel();
            resolve(outcome);
          });
      };
      if (this.isLost()) return;
      this.kernel.after(this.delay(), node.id, () => void node.workers.submit(EVENT_ID, command, forwarded).then(answered));
    });
  }

  private ping(nodeId: string, otherId: string, withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      this.kernel.after(withinMs, nodeId, () => resolve(false));
      if (!this.isLost() && !this.kernel.isDead(otherId))
        this.kernel.after(this.delay(), otherId, () => this.kernel.after(this.delay(), nodeId, () => resolve(true)));
    });
  }

  /** The ledger books a moment after the message; a lost message is the sweeper's. */
  private publish(): void {
    if (this.faulty && this.kernel.chance(0.3)) return;
    for (let copy = this.kernel.chance(0.2) ? 2 : 1; copy > 0; copy--)
      this.kernel.after(this.kernel.between(1, 400), "ledger", () => this.database.book());
    this.messages += 1;
  }
  private sweep(): void {
    if (this.plant.sweeperOff === true) return;
    this.kernel.after(3_000, "ledger", () => {
      this.database.book();
      this.sweep();
    });
  }

  private isLost(): boolean {
    return this.faulty && this.kernel.chance(0.02);
  }
  private delay(): number {
    if (this.faulty && this.kernel.chance(0.02)) return this.kernel.between(300, 5_000);
    return this.kernel.between(0, 8);
  }

  private ports(nodeId: string): WorkerPorts {
    const { kernel, database } = this;
    const faulty = (): boolean => this.faulty;
    /** A read of PostgreSQL: rejects where the way there, or back, was lost; what a late one does, it does late. */
    const ask = <T>(statement: (done: (result: T) => void) => void): Promise<T> =>
      new Promise((resolve, reject) => {
        const timer = kernel.after(LOST_AFTER_MS, nodeId, () => reject(new Error("no answer")));
        const back = (result: T): void => {
          if (!this.isLost())
            kernel.after(this.delay(), nodeId, () => {
              timer.cancel();
              resolve(result);
            });
        };
        if (!this.isLost()) kernel.after(this.delay(), "postgres", () => statement(back));
      });

    return {
      store: {
        takeEpoch: () => ask<number>((done) => database.takeEpoch(done)),
        loadEvent: () => ask((done) => done(database.loadEvent())),
        load: (_eventId, needs) => ask((done) => done(database.load(needs))),
        async commit(ownership, changes) {
          const holdMs = faulty() && kernel.chance(0.05) ? kernel.between(200, 3_000) : kernel.between(0, 5);
          if (faulty() && kernel.chance(0.01)) return { type: "failed", error: new Error("55P03") };
          try {
            return await ask((done) => database.commit(ownership, changes, holdMs, done));
          } catch (error) {
            return { type: "unknown", error: error as Error };
          }
        },
        readPurchases: (ids) => ask((done) => done(database.readPurchases(ids))),
        readTickets: (ids) => ask((done) => done(database.readTickets(ids))),
      },
      lease: { acquire: (_eventId, waitMs, cutShort) => this.acquireLease(nodeId, kernel.nowMs + waitMs, cutShort) },
      publisher: { publish: () => this.publish() },
      copies: {
        write: async (batch: CommittedBatch) => {
          this.copied = batch.available;
        },
      },
      clock: { nowMs: () => kernel.nowMs, after: (delayMs, task) => kernel.after(delayMs, nodeId, task) },
      router: {
        isOwner: () => (this.views.get(nodeId) ?? "node-1") === nodeId,
        forward: async (_eventId, command) => {
          const node = this.nodes.find(({ id }) => id === (this.views.get(nodeId) ?? "node-1"));
          if (node === undefined) return refused("TRY_AGAIN");
          return (await this.call(node, command, true, nodeId, 1_800)) ?? refused("OUTCOME_UNKNOWN");
        },
        ping: (otherId, withinMs) => this.ping(nodeId, otherId, withinMs),
      },
      newTicketId: () => `ticket-${++this.ticketCount}`,
      random: kernel.random,
      limits: { batchMax: 5, mailboxMax: 50, ticketsPerCustomerMax: CUSTOMER_LIMIT },
      note: () => undefined,
    };
  }

  private acquireLease(nodeId: string, deadlineMs: number, cutShort: Promise<void>): Promise<HeldLease> {
    let hurried = false;
    void cutShort.then(() => (hurried = true));
    return new Promise((resolve) => {
      const attempt = (): void => {
        const holder = this.leaseHolder;
        if (holder === undefined || holder.untilMs <= this.kernel.nowMs || this.kernel.isDead(holder.nodeId)) {
          const mine = { nodeId, untilMs: this.kernel.nowMs + 3_000 };
          this.leaseHolder = mine;
          const release = async (): Promise<void> => {
            if (this.leaseHolder === mine) this.leaseHolder = undefined;
          };
          resolve({ held: () => this.leaseHolder === mine, release });
        } else if (hurried || this.kernel.nowMs >= deadlineMs) resolve({ held: () => false, release: () => Promise.resolve() });
        else this.kernel.after(50, nodeId, attempt);
      };
      attempt();
    });
  }
}
