import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { type Context, type ServiceBroker, Strategies } from "moleculer";
import { type Endpoint, endpointsOf, registerStrategy } from "./moleculer-internals.ts";

/**
 * Events whose node order is cached. Ranking two nodes costs microseconds, and most calls of a rush
 * are about one event.
 */
const KEPT_MAX = 10_000;

/**
 * Ranks nodes by rendezvous hashing (Thaler and Ravishankar, 1998). All nodes compute the same
 * order for an event without a table. If a node joins or leaves, only its share of the events
 * moves.
 *
 * The order is a hint. The epoch in PostgreSQL proves ownership.
 */
export function rankNodes(eventId: string, nodeIds: readonly string[]): string[] {
  return nodeIds
    .map((nodeId) => ({ nodeId, weight: weightOf(nodeId, eventId) }))
    .sort((a, b) => (a.weight === b.weight ? (a.nodeId < b.nodeId ? -1 : 1) : b.weight - a.weight))
    .map(({ nodeId }) => nodeId);
}

/**
 * Takes the first 48 bits of a digest. With a hash as cheap as FNV, node names that differ in one
 * digit are correlated.
 */
function weightOf(nodeId: string, eventId: string): number {
  return createHash("sha1").update(`${nodeId}|${eventId}`).digest().readUIntBE(0, 6);
}

/** The nodes that offer an action now, as this node sees it. */
export function nodesOffering(broker: ServiceBroker, action: string): string[] {
  const nodeIds: string[] = [];
  for (const { id, isAvailable } of endpointsOf(broker, action)) if (isAvailable) nodeIds.push(id);
  return nodeIds;
}

export type EventOrder = {
  /**
   * The nodes that offer the action now, as this node sees them: the event's owner first, then its
   * substitutes.
   */
  of(eventId: string): readonly string[];
};

/** The order of nodes for each event, kept until the nodes change. */
export function createEventOrder(broker: ServiceBroker, action: string): EventOrder {
  let nodeIds: string[] = [];
  const kept = new LRUCache<string, readonly string[]>({ max: KEPT_MAX });
  return {
    of(eventId) {
      const now = nodesOffering(broker, action);
      if (now.length !== nodeIds.length || now.some((nodeId, index) => nodeId !== nodeIds[index])) {
        nodeIds = now;
        kept.clear();
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

/**
 * Sends a call that names an `eventId` to the node that owns the event. All nodes must register the
 * strategy under this name.
 */
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
  registerStrategy(EVENT_OWNER, EventOwnerStrategy);
  registerStrategy(LOCAL_FIRST, LocalFirstStrategy);
}
