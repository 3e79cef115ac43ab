import type { Command } from "../../../domain/event-state.ts";
import { type Answer, refused } from "../../../domain/refusal.ts";
import type { ListedCommand } from "../../../lib/bus/command-list.ts";
import { rankNodes } from "../../../lib/bus/event-owner.strategy.ts";
import { settledCall } from "../../../services/api/bus/call-errors.ts";
import {
  createCommandLists,
  type ListBus,
  type SendCommand,
} from "../../../services/api/bus/command-lists.ts";
import {
  createOwnerCall,
  type OwnerCall,
  type Send,
} from "../../../services/api/bus/owner-call.ts";
import { CommandLists } from "../../../services/purchasing/command-lists.ts";
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
/** A busy process ends its turns late, and gathers what comes meanwhile. */
export const BUSY_MS = 20;

export type SimulatedNode = {
  id: string;
  workers: Workers;
  lists: CommandLists;
  leaving: boolean;
};
type Gateway = { callOwner: OwnerCall; sendCommand: SendCommand };
/** The params of a simulated command. */
type Params = { eventId: string; command: Command; insteadOf: string | undefined };

/** Simulates the bus: calls between nodes, and each node's delayed view of the others. */
export class Bus {
  /** Planted mistake: no ping is answered, so every second node takes the owner for dead. */
  ignoresPings = false;
  nodes: SimulatedNode[] = [];
  private readonly kernel: Kernel;
  private readonly network: Network;
  private readonly views = new Map<string, Set<string>>(GATEWAYS.map((id) => [id, new Set()]));
  private readonly ranks = new Map<string, string[]>();
  private readonly gateways = new Map<string, Gateway>();

  /** `lists` replaces the calls that carry lists, for planted mistakes. */
  constructor(kernel: Kernel, network: Network, lists: (real: ListBus) => ListBus = (bus) => bus) {
    this.kernel = kernel;
    this.network = network;
    for (const id of GATEWAYS)
      this.gateways.set(id, {
        callOwner: createOwnerCall(kernel.clockOf(id)),
        sendCommand: createCommandLists(lists(this.listBus(id))),
      });
  }

  /** Finds a running node by its number in a history. */
  node(index: number): SimulatedNode | undefined {
    return this.nodes[index % Math.max(1, this.nodes.length)];
  }

  /** The lists of a new node. */
  listsOf(node: Pick<SimulatedNode, "id" | "leaving">): CommandLists {
    const { kernel } = this;
    return new CommandLists({
      nowMs: () => kernel.nowMs,
      endOfTurn: () =>
        new Promise((resolve) => kernel.after(kernel.between(0, BUSY_MS), node.id, resolve)),
      leaving: () => node.leaving,
    });
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
    const { callOwner, sendCommand } = this.gateways.get(gateway) ?? unknown(gateway);
    const send: Send<Purchase | Ticket> = (nodeId, insteadOf) => {
      const params: Params = { eventId, command, insteadOf };
      return settledCall(
        sendCommand({
          nodeId,
          timeoutMs: insteadOf === undefined ? ANSWER_MS : SECOND_ANSWER_MS,
          command: {
            action: command.type === "BuyTickets" ? "purchasing.buy" : "purchasing.cancel",
            params,
            meta: { token: command.userId },
            requestId: command.transactionId,
          },
        }) as Promise<Outcome>,
      );
    };
    return callOwner(
      this.order(gateway, eventId),
      send,
      command.type === "BuyTickets" ? "OUTCOME_UNKNOWN" : "TRY_AGAIN",
    );
  }

  /** Same calls as `createListBus` in services/api/bus/service-client.ts. */
  private listBus(gateway: string): ListBus {
    const { kernel } = this;
    const run =
      (node: SimulatedNode) =>
      ({ params }: ListedCommand): Promise<Answer<unknown>> => {
        const { eventId, command, insteadOf } = params as Params;
        return node.workers.submit(eventId, command, false, insteadOf);
      };
    return {
      takesLists: () => true,
      one: ({ nodeId, timeoutMs, command }) =>
        this.ask(gateway, nodeId, (node) => run(node)(command), timeoutMs),
      submit: (nodeId, commands, timeoutMs) =>
        this.ask(gateway, nodeId, (node) => node.lists.submit(commands, run(node)), timeoutMs),
      collect: (nodeId, list, token, timeoutMs) =>
        this.ask(gateway, nodeId, (node) => node.lists.collect(list, token), timeoutMs),
      nowMs: () => kernel.nowMs,
      atEndOfTurn: (work) => void kernel.after(kernel.between(0, BUSY_MS), gateway, work),
    };
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
        try {
          return await this.call(
            node.id,
            owner,
            ({ workers }) => workers.submit(eventId, command, true),
            FORWARD_MS,
          );
        } catch {
          return refused("OUTCOME_UNKNOWN");
        }
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

  /** Calls a node that the caller sees. Rejects as Moleculer does. */
  private async ask<T>(
    from: string,
    to: string,
    serve: (node: SimulatedNode) => Promise<T>,
    withinMs: number,
  ): Promise<T> {
    if (this.views.get(from)?.has(to) !== true) throw busFault("SERVICE_NOT_AVAILABLE");
    return this.call(from, to, serve, withinMs);
  }

  private call<T>(
    from: string,
    to: string,
    serve: (node: SimulatedNode) => Promise<T>,
    withinMs: number,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.kernel.after(withinMs, from, () => reject(busFault("REQUEST_TIMEOUT")));
      const answered = (answer: T): void =>
        this.network.carry("answers", from, () => {
          timer.cancel();
          resolve(answer);
        });
      this.network.carry("calls", to, () => {
        const node = this.nodes.find(({ id }) => id === to);
        if (node !== undefined) void serve(node).then(answered);
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

function busFault(type: string): Error {
  return Object.assign(new Error(type), { type });
}

function unknown(gateway: string): never {
  throw new Error(`Unknown gateway ${gateway}`);
}
