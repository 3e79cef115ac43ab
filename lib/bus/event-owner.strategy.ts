import { createHash } from "node:crypto";
import { type Context, type ServiceBroker, Strategies } from "moleculer";
import { FifoMap } from "../concurrency/fifo-map.ts";

type Endpoint = { id: string; local: boolean; isAvailable: boolean };

/** Events whose order of nodes is kept: ranking two nodes costs 5 µs, and a rush is about one event. */
const KEPT_MAX = 10_000;

/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998): every node ranks the same nodes in the same order for an event, without a table,
 * and when a node joins or leaves only its own share of events moves. A hint for order: the epoch in PostgreSQL is what proves ownership.
 */
export function rankNodes(eventId: string, nodeIds: readonly string[]): string[] {
  return nodeIds
    .map((nodeId) => ({ nodeId, weight: weightOf(nodeId, eventId) }))
    .sort((a, b) => (a.weight === b.weight ? (a.nodeId < b.nodeId ? -1 : 1) : b.weight - a.weight))
    .map(({ nodeId }) => nodeId);
}

/** The first 48 bits of a digest: a hash as cheap as FNV leaves node names that differ in one digit correlated. */
function weightOf(nodeId: string, eventId: string): number {
  return createHash("sha1").update(`${nodeId}|${eventId}`).digest().readUIntBE(0, 6);
}

/** The nodes that offer an action now, as this node sees it. */
export function nodesOffering(broker: ServiceBroker, action: string): string[] {
  const actions = broker.registry.actions as unknown as {
    actions: Map<string, { endpoints: Endpoint[] }>;
  };
  const nodeIds: string[] = [];
  for (const { id, isAvailable } of actions.actions.get(action)?.endpoints ?? [])
    if (isAvailable) nodeIds.push(id);
  return nodeIds;
}

export type EventOrder = {
  /** The nodes that offer the action now, as this node sees it: the event's owner first, then who is asked in its place. */
  of(eventId: string): readonly string[];
};

/** The order of nodes for each event, kept until the nodes change. */
export function createEventOrder(broker: ServiceBroker, action: string): EventOrder {
  let nodeIds: string[] = [];
  let kept = new FifoMap<string, readonly string[]>(KEPT_MAX);
  return {
    of(eventId) {
      const now = nodesOffering(broker, action);
      if (now.length !== nodeIds.length || now.some((nodeId, index) => nodeId !== nodeIds[index])) {
        nodeIds = now;
        kept = new FifoMap(KEPT_MAX);
      }
      if (nodeIds.length < 2) return nodeIds;
      const known = kept.get(eventId);
      if (known !== undefined) return known;
      const order = rankNodes(eventId, nodeIds);
      kept.set(eventId, order);
      return order;
    },
  };
}

/** Sends what names an `eventId` to the node that owns the event; every node must know the strategy by this name. */
class EventOwnerStrategy extends Strategies.Base {
  override select(list: unknown[], context?: Context): never {
    const endpoints = list as Endpoint[];
    const eventId = (context?.params as { eventId?: unknown } | undefined)?.eventId;
    if (typeof eventId !== "string" || endpoints.length === 1) return endpoints[0] as never;
    const [owner] = rankNodes(
      eventId.toLowerCase(),
      endpoints.map(({ id }) => id),
    );
    return endpoints.find(({ id }) => id === owner) as never;
  }
}

/** For everything else: this node where it can serve itself, the others in turn where it cannot. */
class LocalFirstStrategy extends Strategies.RoundRobin {
  override select(list: never[]): never {
    const local = (list as Endpoint[]).find((endpoint) => endpoint.local);
    return (local ?? super.select(list)) as never;
  }
}

export const EVENT_OWNER = "EventOwner";
export const LOCAL_FIRST = "LocalFirst";

/** Must run on every node, the gateway included, before its broker is made. */
export function registerStrategies(): void {
  const strategies = Strategies as unknown as { register(name: string, strategy: unknown): void };
  strategies.register(EVENT_OWNER, EventOwnerStrategy);
  strategies.register(LOCAL_FIRST, LocalFirstStrategy);
}
