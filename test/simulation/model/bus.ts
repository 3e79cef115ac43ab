import type { Command } from "../../../domain/event-state.ts";
import { refused } from "../../../domain/refusal.ts";
import { rankNodes } from "../../../lib/bus/event-owner.strategy.ts";
import { createOwnerCall, type OwnerCall } from "../../../services/api/bus/owner-failover.ts";
import type { Outcome, Router } from "../../../services/purchasing/worker/ports.ts";
import type { Workers } from "../../../services/purchasing/worker/worker-registry.ts";
import type { Kernel } from "./kernel.ts";
import type { Network } from "./network.ts";

export const GATEWAYS = ["gateway-1", "gateway-2"] as const;
/** As services/api/bus/service-client.ts and services/purchasing/worker/owner-router.ts have them. */
const ANSWER_MS = 4_000;
const SECOND_ANSWER_MS = 2_800;
const FORWARD_MS = 1_800;

export type SimulatedNode = { id: string; workers: Workers; leaving: boolean };
type Marks = { forwarded: boolean; insteadOf?: string | undefined };

/** The bus: who sees whom, a while after it is so, and the calls between them. */
export class Bus {
  /** Planted: a node's worker is never answered by the owner, so that every second in order believes it dead. */
  deaf = false;
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

  /** The n-th of those that live, as histories count them. */
  node(index: number): SimulatedNode | undefined {
    return this.nodes[index % Math.max(1, this.nodes.length)];
  }

  join(node: SimulatedNode, atOnce: boolean): void {
    this.nodes.push(node);
    this.views.set(node.id, new Set(this.nodes.map(({ id }) => id)));
    for (const viewer of this.views.keys())
      this.later(atOnce ? 0 : this.kernel.between(1, 200), viewer, () => this.see(viewer, node.id));
  }
  /** A node that says goodbye is missed soon, one that died when its heartbeats have been missed. */
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
  /** One viewer, gateways first, believes for a while that a node is gone. */
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

  /** The gateway's way: the owner first, the second in order where it does not answer. Undefined: nobody can say. */
  command(gateway: string, eventId: string, command: Command): Promise<Outcome> {
    const callOwner = this.callers.get(gateway);
    if (callOwner === undefined) throw new Error(`There is no gateway ${gateway}`);
    return callOwner(this.order(gateway, eventId), async (nodeId, insteadOf) => {
      if (this.views.get(gateway)?.has(nodeId) !== true) return { type: "not-sent" };
      const marks = { forwarded: false, insteadOf };
      const answer = await this.call(
        gateway,
        nodeId,
        eventId,
        command,
        marks,
        insteadOf === undefined ? ANSWER_MS : SECOND_ANSWER_MS,
      );
      return answer === undefined ? { type: "lost" } : { type: "answered", answer };
    });
  }

  /** As services/purchasing/worker/owner-router.ts. */
  router(node: Pick<SimulatedNode, "id" | "leaving">): Router {
    const others = (eventId: string): string[] =>
      this.order(node.id, eventId).filter((id) => id !== node.id);
    const ownerOf = (eventId: string): string =>
      (node.leaving ? others(eventId)[0] : this.order(node.id, eventId)[0]) ?? node.id;
    return {
      isOwner: (eventId) => ownerOf(eventId) === node.id,
      forward: async (eventId, command) => {
        const [owner] = others(eventId);
        if (owner === undefined) return refused("TRY_AGAIN");
        return (
          (await this.call(node.id, owner, eventId, command, { forwarded: true }, FORWARD_MS)) ??
          refused("OUTCOME_UNKNOWN")
        );
      },
      ping: (nodeId, withinMs) =>
        new Promise((resolve) => {
          this.kernel.after(withinMs, node.id, () => resolve(false));
          if (!this.deaf)
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
          .submit(eventId, command, marks.forwarded, marks.insteadOf)
          .then(answered);
      });
    });
  }

  private order(viewer: string, eventId: string): string[] {
    const ids = [...(this.views.get(viewer) ?? [])].sort();
    const key = `${eventId} ${ids.join()}`;
    const known = this.ranks.get(key) ?? rankNodes(eventId, ids);
    this.ranks.set(key, known);
    return known;
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
