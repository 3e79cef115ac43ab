import type { Command } from "../../../domain/event-state.ts";
import { refused } from "../../../domain/refusal.ts";
import { rankNodes } from "../../../lib/bus/event-owner.strategy.ts";
import {
  createOwnerCall,
  type OwnerCall,
  type Send,
} from "../../../services/api/bus/service-client.ts";
import { notLookedUp } from "../../../services/purchasing/worker/undecided.ts";
import type {
  Outcome,
  Purchase,
  Router,
  Ticket,
} from "../../../services/purchasing/worker/ports.ts";
import type { Workers } from "../../../services/purchasing/worker/workers.ts";
import type { Kernel } from "./kernel.ts";
import type { Network } from "./network.ts";

export const GATEWAYS = ["gateway-1", "gateway-2"] as const;
/**
 * Same limits as in services/api/bus/service-client.ts and
 * services/purchasing/worker/workers.ts.
 */
const ANSWER_MS = 4_000;
const SECOND_ANSWER_MS = 2_800;
const FORWARD_MS = 1_800;

export type SimulatedNode = { id: string; workers: Workers; leaving: boolean };
type Marks = { forwarded: boolean; unresponsiveOwner?: string | undefined };

/** Simulates the bus: calls between nodes, and each node's delayed view of the others. */
export class Bus {
  /** Planted mistake: no ping is answered, so every second node takes the owner for dead. */
  ignoresPings = false;
  nodes: SimulatedNode[] = [];
  private readonly kernel: Kernel;
  private readonly network: Network;
  private readonly views = new Map<string, Set<string>>(GATEWAYS.map((id) => [id, new Set()]));
  private readonly ranks = new Map<string, string[]>();
  private readonly callers = new Map<string, OwnerCall>();

  constructor(kernel: Kernel, network: Network) {
    this.kernel = kernel;
    this.network = network;
    for (const id of GATEWAYS) this.callers.set(id, createOwnerCall(kernel.clockOf(id)));
  }

  /** Finds a running node by its number in a history. */
  node(index: number): SimulatedNode | undefined {
    return this.nodes[index % Math.max(1, this.nodes.length)];
  }

  join(node: SimulatedNode, immediately: boolean): void {
    this.nodes.push(node);
    this.views.set(node.id, new Set(this.nodes.map(({ id }) => id)));
    for (const viewer of this.views.keys())
      this.later(immediately ? 0 : this.kernel.between(1, 200), viewer, () =>
        this.see(viewer, node.id),
      );
  }
  /** Removes a node. Others notice a clean exit soon, a crash after missed heartbeats. */
  part(node: SimulatedNode, withGoodbye: boolean): void {
    this.nodes = this.nodes.filter((other) => other !== node);
    for (const viewer of this.views.keys())
      if (viewer !== node.id)
        this.later(
          withGoodbye ? this.kernel.between(1, 200) : this.kernel.between(1_000, 2_500),
          viewer,
          () => this.miss(viewer, node.id),
        );
  }
  /** Hides a node from one viewer for a while. Viewers are counted from the gateways on. */
  hide(viewerIndex: number, node: SimulatedNode, forMs: number): void {
    const viewers = [...GATEWAYS, ...this.nodes.map(({ id }) => id)];
    const viewer = viewers[viewerIndex % viewers.length];
    if (viewer === undefined || viewer === node.id) return;
    this.miss(viewer, node.id);
    this.later(forMs, viewer, () => this.see(viewer, node.id));
  }
  agree(): void {
    for (const [viewer, view] of this.views) {
      view.clear();
      for (const { id } of this.nodes) view.add(id);
      this.onTopologyChange(viewer);
    }
  }

  /**
   * Calls as a gateway does: the owner, then the second node. `OUTCOME_UNKNOWN` if neither answers.
   */
  command(gateway: string, eventId: string, command: Command): Promise<Outcome> {
    const callOwner = this.callers.get(gateway);
    if (callOwner === undefined) throw new Error(`Unknown gateway ${gateway}`);
    const send: Send<Purchase | Ticket> = async (nodeId, unresponsiveOwner) => {
      if (this.views.get(gateway)?.has(nodeId) !== true) return { type: "not-sent" };
      const marks = { forwarded: false, unresponsiveOwner: unresponsiveOwner };
      const answer = await this.call(
        gateway,
        nodeId,
        eventId,
        command,
        marks,
        unresponsiveOwner === undefined ? ANSWER_MS : SECOND_ANSWER_MS,
      );
      return answer === undefined ? { type: "lost" } : { type: "answered", answer };
    };
    return callOwner(
      this.order(gateway, eventId),
      send,
      command.type === "BuyTickets" ? "OUTCOME_UNKNOWN" : "TRY_AGAIN",
    );
  }

  /** Same routing as services/purchasing/worker/workers.ts. */
  router(node: Pick<SimulatedNode, "id" | "leaving">): Router {
    const others = (eventId: string): string[] =>
      this.order(node.id, eventId).filter((id) => id !== node.id);
    const ownerOf = (eventId: string): string =>
      (node.leaving ? others(eventId)[0] : this.order(node.id, eventId)[0]) ?? node.id;
    return {
      isOwner: (eventId) => ownerOf(eventId) === node.id,
      forward: async (eventId, command) => {
        const [owner] = others(eventId);
        if (owner === undefined) return notLookedUp(command);
        return (
          (await this.call(node.id, owner, eventId, command, { forwarded: true }, FORWARD_MS)) ??
          refused("OUTCOME_UNKNOWN")
        );
      },
      ping: (nodeId, withinMs) =>
        new Promise((resolve) => {
          this.kernel.after(withinMs, node.id, () => resolve(false));
          if (!this.ignoresPings)
            this.network.carry("calls", nodeId, () =>
              this.network.carry("answers", node.id, () => resolve(true)),
            );
        }),
    };
  }

  private call(
    from: string,
    to: string,
    eventId: string,
    command: Command,
    marks: Marks,
    withinMs: number,
  ): Promise<Outcome | undefined> {
    return new Promise((resolve) => {
      const timer = this.kernel.after(withinMs, from, () => resolve(undefined));
      const answered = (outcome: Outcome): void =>
        this.network.carry("answers", from, () => {
          timer.cancel();
          resolve(outcome);
        });
      this.network.carry("calls", to, () => {
        const node = this.nodes.find(({ id }) => id === to);
        void node?.workers
          .submit(eventId, command, marks.forwarded, marks.unresponsiveOwner)
          .then(answered);
      });
    });
  }

  private order(viewer: string, eventId: string): string[] {
    const ids = [...(this.views.get(viewer) ?? [])].sort();
    const key = `${eventId} ${ids.join()}`;
    const cached = this.ranks.get(key) ?? rankNodes(eventId, ids);
    this.ranks.set(key, cached);
    return cached;
  }
  private see(viewer: string, nodeId: string): void {
    if (!this.nodes.some(({ id }) => id === nodeId)) return;
    this.views.get(viewer)?.add(nodeId);
    this.onTopologyChange(viewer);
  }
  private miss(viewer: string, nodeId: string): void {
    this.views.get(viewer)?.delete(nodeId);
    this.onTopologyChange(viewer);
  }
  private onTopologyChange(viewer: string): void {
    this.nodes.find(({ id }) => id === viewer)?.workers.onTopologyChange();
  }
  private later(delayMs: number, viewer: string, task: () => void): void {
    if (delayMs === 0) task();
    else this.kernel.after(delayMs, viewer, task);
  }
}
