import type { ServiceBroker } from "moleculer";
import { LRUCache } from "lru-cache";
import { refused } from "../../../domain/refusal.ts";
import { createEventOrder } from "../../../lib/bus/event-owner.strategy.ts";
import type { MintInternalToken, Caller } from "../../../lib/auth/jwt.ts";
import type { Outcome, Router, WorkerPorts } from "./ports.ts";
import type { Command } from "../../../domain/event-state.ts";
import { EventWorker } from "./event-worker.ts";
import { notLookedUp } from "./undecided.ts";

const FORWARD_TIMEOUT_MS = 1_800;
/** Customers whose commands are forwarded while events move. */
const CUSTOMERS_MAX = 5_000;
const SERVE = "purchasing.serve";
/** Moleculer's words for a call that was never sent. */
const NOT_SENT = new Set(["SERVICE_NOT_FOUND", "SERVICE_NOT_AVAILABLE"]);

/**
 * Finds the owner of an event in this node's view of the bus, and forwards to it. Views may differ
 * for a second; the epoch settles it. A node that is `leaving` owns nothing while there is another.
 */
export function createOwnerRouter(
  broker: ServiceBroker,
  mintToken: MintInternalToken,
  leaving: AbortSignal,
): Router {
  const order = createEventOrder(broker, SERVE);
  const others = (eventId: string): string[] =>
    order.of(eventId).filter((nodeId) => nodeId !== broker.nodeID);
  // A node that is cut off from the bus may see no other node. It serves what it still has.
  const ownerOf = (eventId: string): string =>
    (leaving.aborted ? others(eventId)[0] : order.of(eventId)[0]) ?? broker.nodeID;

  // A token is kept for its caller, so each customer is one object.
  const customers = new LRUCache<string, Caller>({ max: CUSTOMERS_MAX });
  const customer = (userId: string): Caller => {
    let known = customers.get(userId);
    if (known === undefined) customers.set(userId, (known = { userId, role: "customer" }));
    return known;
  };

  return {
    isOwner: (eventId) => ownerOf(eventId) === broker.nodeID,

    async forward(eventId, command): Promise<Outcome> {
      const meta = { token: mintToken(customer(command.userId)) };
      for (const nodeID of others(eventId)) {
        try {
          return await broker.call<Outcome, object>(
            SERVE,
            { eventId, command },
            { nodeID, meta, timeout: FORWARD_TIMEOUT_MS },
          );
        } catch (error) {
          // Judged by its word: a class does not survive the way across nodes.
          if (!NOT_SENT.has((error as { type?: string }).type ?? ""))
            return refused("OUTCOME_UNKNOWN");
        }
      }
      return notLookedUp(command);
    },

    ping: async (nodeId, withinMs) => (await broker.ping(nodeId, withinMs)) !== null,
  };
}

/**
 * The workers of one node, one per active event. A worker starts with its first command and ends
 * when it has been idle.
 */
export class Workers {
  private readonly workers = new Map<string, EventWorker>();
  private readonly ports: WorkerPorts;

  constructor(ports: WorkerPorts) {
    this.ports = ports;
  }

  /** See `EventWorker.submit`. */
  submit(
    eventId: string,
    command: Command,
    forwarded: boolean,
    insteadOf?: string,
  ): Promise<Outcome> {
    let worker = this.workers.get(eventId);
    if (worker === undefined) {
      worker = new EventWorker(
        eventId,
        this.ports,
        () => this.workers.delete(eventId),
        () => this.workers.size,
      );
      this.workers.set(eventId, worker);
    }
    return worker.submit(command, forwarded, insteadOf);
  }

  forget(eventId: string): void {
    this.workers.get(eventId)?.forget();
  }

  /** Nodes have come, gone, or are leaving. */
  onTopologyChange(): void {
    for (const worker of this.workers.values()) worker.onTopologyChange();
  }

  status() {
    return [...this.workers.values()].map((worker) => worker.status());
  }

  async stop(): Promise<void> {
    await Promise.all([...this.workers.values()].map((worker) => worker.stop()));
  }
}
