import { createHash } from "node:crypto";
import { type Context, Strategies } from "moleculer";

type Endpoint = { id: string; local: boolean };

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

/** Sends what names an `eventId` to the node that owns the event; every node must know the strategy by this name. */
class EventOwnerStrategy extends Strategies.Base {
  override select(list: unknown[], context?: Context): never {
    const endpoints = list as Endpoint[];
    const eventId = (context?.params as { eventId?: unknown } | undefined)?.eventId;
    if (typeof eventId !== "string" || endpoints.length === 1) return endpoints[0] as never;
    const [owner] = rankNodes(
      eventId,
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
