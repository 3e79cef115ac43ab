import type { ServiceBroker } from "moleculer";
import type { Command } from "../../domain/event-state.ts";
import { refused } from "../../domain/refusal.ts";
import { rankNodes } from "../../mixins/event-owner.ts";
import type { MintInternalToken } from "../../mixins/internal-token.ts";
import type { Outcome, Router } from "./ports.ts";

const FORWARD_TIMEOUT_MS = 1_800;
const SERVE = "purchasing.serve";
/** Moleculer's words for a call that was never sent. */
const NOT_SENT = new Set(["SERVICE_NOT_FOUND", "SERVICE_NOT_AVAILABLE"]);

type EndpointList = { endpoints: { id: string; isAvailable: boolean }[] };

/** Who owns an event in this node's view of the bus, and the way there. Views may differ for a second: the epoch settles it. */
export function busRouter(broker: ServiceBroker, mintToken: MintInternalToken): Router {
  const nodeIds = (): string[] => {
    const actions = broker.registry.actions as unknown as { actions: Map<string, EndpointList> };
    return (actions.actions.get(SERVE)?.endpoints ?? []).filter(({ isAvailable }) => isAvailable).map(({ id }) => id);
  };
  const ownerOf = (eventId: string): string | undefined => {
    const ids = nodeIds();
    return ids.length > 1 ? rankNodes(eventId, ids)[0] : ids[0];
  };

  return {
    // A node that is leaving may see nobody: it serves what it still has.
    isOwner: (eventId) => (ownerOf(eventId) ?? broker.nodeID) === broker.nodeID,
    async forward(eventId, command: Command): Promise<Outcome> {
      const nodeID = ownerOf(eventId);
      if (nodeID === undefined) return refused("TRY_AGAIN");
      const meta = { token: mintToken({ userId: command.userId, role: "customer" }) };
      try {
        return await broker.call<Outcome, object>(SERVE, { eventId, command }, { nodeID, meta, timeout: FORWARD_TIMEOUT_MS });
      } catch (error) {
        // Judged by its word: a class does not survive the way across nodes.
        return refused(NOT_SENT.has((error as { type?: string }).type ?? "") ? "TRY_AGAIN" : "OUTCOME_UNKNOWN");
      }
    },
  };
}
