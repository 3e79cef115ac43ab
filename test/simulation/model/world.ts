import { availableKey } from "../../../lib/availability/availability-cache.ts";
import type { Handler } from "../../../lib/queue/index.ts";
import {
  createCacheInvalidation,
  expireSoon,
} from "../../../services/catalog/events/cache-invalidation.ts";
import type { ManyEvents } from "../../../services/purchasing/store/batched-event-store.ts";
import type { WorkerPorts } from "../../../services/purchasing/worker/ports.ts";
import { createAvailabilityCacheWriter } from "../../../services/purchasing/availability/availability-copies.ts";
import { createBuyersRoom } from "../../../services/purchasing/worker/ownership.ts";
import { Workers } from "../../../services/purchasing/worker/workers.ts";
import type { ListBus } from "../../../services/api/bus/command-lists.ts";
import { Bus, type SimulatedNode } from "./bus.ts";
import { SimulatedDatabase } from "./database/database.ts";
import { EventTables } from "./database/event-tables.ts";
import { nodeStore } from "./database/node-store.ts";
import { Kernel } from "./kernel.ts";
import { SimulatedLedger } from "./ledger.ts";
import { SimulatedLocks } from "./locks.ts";
import { Network } from "./network.ts";
import { SimulatedQueue } from "./queue.ts";
import { SimulatedRedis } from "./redis.ts";
import type { BrokenClauses, EventChange } from "./database/rows.ts";
import type { EventImport, History } from "./steps.ts";

/** Replaces sound parts with mistakes. */
export type Plant = {
  /** First seed of the search. Keeps tests short; other seeds find the mistake later. */
  from?: number;
  /** Adds steps to each history that make the mistake matter. */
  with?: (history: History) => Partial<Pick<History, "demands" | "faults">>;
  clauses?: BrokenClauses;
  ports?: (ports: WorkerPorts, world: World) => WorkerPorts;
  many?: (many: ManyEvents) => ManyEvents;
  lists?: (lists: ListBus) => ListBus;
  ledger?: (handler: Handler, world: World) => Handler;
  sweeperOff?: true;
  acknowledgesFirst?: true;
  unversionedCopies?: true;
  importsTryOnce?: true;
  deafToPings?: true;
  staleLists?: true;
};

const NODES = 3;
const LEDGERS = 2;
export const CUSTOMER_LIMIT = 4;
const NEVER_MS = 1_000_000_000;
const IMPORTER = "importer";
/** One node owns both at first, so that their statements are shared. */
const EVENT_IDS = [
  "00000000-0000-7000-8000-000000000001",
  "00000000-0000-7000-8000-000000000003",
] as const;

/** The simulated system: real code of purchasing, gateways and ledger on simulated servers. */
export class World {
  readonly kernel: Kernel;
  readonly network: Network;
  readonly database: SimulatedDatabase;
  readonly locks: SimulatedLocks;
  readonly redis: SimulatedRedis;
  readonly queue: SimulatedQueue;
  readonly bus: Bus;
  readonly plant: Plant;
  readonly broken: BrokenClauses;
  ledgers: SimulatedLedger[] = [];
  /** Least time for which a commit holds its row locks, and time for each row that it writes. */
  slow = { untilMs: 0, byMs: 0, rowMs: 0 };
  /** Set to kill the node of the next successful commit before it gets the result. */
  killAfterCommit = false;
  /** Called when an import has committed. */
  onImported: (eventId: string, change: EventChange, startedMs: number) => void = () => undefined;
  private readonly importer;
  private readonly cache;
  private nodeCount = 0;
  private ledgerCount = 0;
  private ticketCount = 0;

  constructor(history: History, plant: Plant) {
    this.plant = plant;
    this.broken = plant.clauses ?? {};
    this.kernel = new Kernel(history.seed, history.skewMs);
    this.network = new Network(this.kernel, history);
    this.database = new SimulatedDatabase(this.kernel);
    this.locks = new SimulatedLocks(this.kernel);
    this.redis = new SimulatedRedis(this.kernel);
    this.redis.ignoresVersions = plant.unversionedCopies === true;
    this.queue = new SimulatedQueue(this.kernel);
    this.queue.acknowledgesFirst = plant.acknowledgesFirst === true;
    this.bus = new Bus(this.kernel, this.network, plant.lists);
    this.bus.ignoresPings = plant.deafToPings === true;
    this.importer = this.redis.client(IMPORTER);
    const clock = this.kernel.clockOf(IMPORTER);
    const never = { ...clock, after: () => ({ cancel: () => undefined }) };
    this.cache = createCacheInvalidation(
      this.importer,
      1_000,
      plant.importsTryOnce === true ? never : clock,
    );
    history.totals.forEach((total, index) => {
      const startsAtMs = index === 0 ? (history.startsAtMs ?? NEVER_MS) : NEVER_MS;
      const event = new EventTables(
        this.database,
        this.kernel,
        this.eventId(index),
        total,
        startsAtMs,
        this.broken,
      );
      this.database.events.set(event.eventId, event);
    });
    for (let count = 0; count < NODES; count++) this.addNode(true);
    for (let count = 0; count < LEDGERS; count++) this.addLedger();
  }

  eventId(index: number): string {
    return EVENT_IDS[index % EVENT_IDS.length] ?? EVENT_IDS[0];
  }

  killNode(node: SimulatedNode): void {
    if (this.kernel.isDead(node.id)) return;
    this.kernel.kill(node.id);
    this.bus.part(node, false);
    this.kernel.after(300, "fate", () => this.addNode(false));
  }
  /** Stops a node as SIGTERM does: a successor starts, the node hands over its events and ends. */
  async leave(node: SimulatedNode): Promise<void> {
    if (node.leaving) return;
    this.addNode(false);
    node.leaving = true;
    node.workers.onTopologyChange();
    await node.workers.stop();
    this.bus.part(node, true);
    this.kernel.after(2_000, node.id, () => this.kernel.kill(node.id));
  }
  killLedger(ledger: SimulatedLedger): void {
    ledger.die();
    this.ledgers = this.ledgers.filter((other) => other !== ledger);
    this.kernel.after(400, "fate", () => this.addLedger());
  }

  /** Imports another total, status or start during the sale. Some do not notify the nodes. */
  async importEvent(
    eventId: string,
    { total, status, startsInMs, takesMs, nodesNotified }: EventImport,
  ): Promise<void> {
    const event = this.database.event(eventId);
    const startedMs = this.kernel.nowMs;
    const startsAtMs = startsInMs === null ? event.rows.startsAtMs : startedMs + startsInMs;
    const change = { total, status, startsAtMs };
    await expireSoon(this.importer, [eventId]);
    await new Promise<void>((resolve) => event.change(change, takesMs, resolve));
    this.onImported(eventId, change, startedMs);
    const available = event.rows.total - event.active.length;
    const left = { eventId, available, epoch: event.rows.epoch, batch: 0, endsAtMs: NEVER_MS };
    if (nodesNotified)
      for (const { id, workers } of this.bus.nodes)
        this.network.carry("calls", id, () => workers.forget(eventId));
    await this.cache.invalidate();
    await this.cache.forget(eventId);
    await this.cache.renew(left, left.epoch);
  }

  /** Availability in Redis, which a worker must not start from. */
  availabilityInRedis(eventId: string): number | undefined {
    const text = this.redis.data.get(availableKey(eventId));
    return text === undefined ? undefined : (JSON.parse(text) as { available: number }).available;
  }

  private addLedger(): void {
    this.ledgers.push(
      new SimulatedLedger(
        `ledger-${++this.ledgerCount}`,
        this,
        (handler) => this.plant.ledger?.(handler, this) ?? handler,
      ),
    );
  }
  private addNode(immediately: boolean): void {
    const place = { id: `node-${++this.nodeCount}`, leaving: false };
    const ports = this.ports(place);
    const workers = new Workers(this.plant.ports?.(ports, this) ?? ports);
    const lists = this.bus.listsOf(place);
    this.bus.join(Object.assign(place, { workers, lists }), immediately);
  }

  private ports(place: Pick<SimulatedNode, "id" | "leaving">): WorkerPorts {
    const { kernel, locks, queue, redis } = this;
    const clock = kernel.clockOf(place.id);
    return {
      store: nodeStore(this, place.id),
      lease: {
        acquire: (eventId, waitMs, cutShort) => locks.acquire(place.id, eventId, waitMs, cutShort),
      },
      publisher: {
        publish: (batch) => queue.publish(batch),
      },
      copies: createAvailabilityCacheWriter(redis.client(place.id), 1_000, clock),
      clock,
      router: this.bus.router(place),
      newTicketId: () => `ticket-${++this.ticketCount}`,
      random: kernel.random,
      buyersRoom: createBuyersRoom(),
      limits: {
        batchMax: 5,
        mailboxMax: 50,
        ticketsPerCustomerMax: CUSTOMER_LIMIT,
        knownMax: 3,
      },
      note: () => undefined,
    };
  }

  /** Called when a commit of a node's worker has succeeded, before it hears of it. */
  committed(nodeId: string): void {
    const node = this.bus.nodes.find(({ id }) => id === nodeId);
    if (!this.killAfterCommit || node === undefined) return;
    this.killAfterCommit = false;
    this.killNode(node);
  }
}
