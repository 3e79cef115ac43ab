import type { CallingOptions, ServiceBroker } from "moleculer";
import { type Answer, refused } from "../../../domain/refusal.ts";
import { COLLECT, type ListPart, SUBMIT } from "../../../lib/bus/command-list.ts";
import { createEventOrder, nodesOffering } from "../../../lib/bus/event-owner.strategy.ts";
import { nodeContextOf } from "../../../lib/bus/node-context.ts";
import { systemClock } from "../../../lib/concurrency/clock.ts";
import type { Tracing } from "../../../lib/observability/tracing.ts";
import { traceCall } from "../../../mixins/tracing.middleware.ts";
import type { Bus, CommandAction, NotSent } from "../routing/route.ts";
import { type CallResult, settledCall } from "./call-errors.ts";
import { createCommandLists, type ListBus, type SendCommand } from "./command-lists.ts";
import { createOwnerCall, type OwnerCall, type Send } from "./owner-call.ts";

/** Exceeds the 2.5 s after which a service answers by itself, so a time-out means a lost node. */
const FIRST_TRY_MS = 4_000;
const SECOND_TRY_MS = 2_000;
/** The second owner needs a ping (0.3 s) and an epoch before it starts. */
const SECOND_OWNER_MS = 2_800;
const BROADCAST_MS = 1_000;
/** A node that offers this action offers all commands. */
const ANY_COMMAND = "purchasing.buy";

/** Time-outs of the first try, and of the second try of a call that may be repeated. */
export type Timeouts = { firstMs: number; secondMs: number };

const TIMEOUTS: Timeouts = { firstMs: FIRST_TRY_MS, secondMs: SECOND_TRY_MS };

/** Calls services on behalf of one request. `token` is the internal token of its caller. */
export type BusOf = (requestId: string, token?: string, timeouts?: Timeouts) => Bus;

/** Connects the gateway to the services of all nodes. */
export function createBus(broker: ServiceBroker): BusOf {
  const shared: Shared = {
    broker,
    tracing: nodeContextOf(broker).tracing,
    order: createEventOrder(broker, ANY_COMMAND),
    callOwner: createOwnerCall(systemClock),
    sendCommand: createCommandLists(createListBus(broker)),
  };
  return (requestId, token, timeouts = TIMEOUTS) =>
    new ServiceClient(shared, requestId, token, timeouts);
}

type Shared = {
  broker: ServiceBroker;
  tracing: Tracing | undefined;
  order: ReturnType<typeof createEventOrder>;
  callOwner: OwnerCall;
  sendCommand: SendCommand;
};

/** Calls other nodes for the lists of commands. */
function createListBus(broker: ServiceBroker): ListBus {
  const call = <T>(action: string, params: object, options: CallingOptions): Promise<T> =>
    broker.call<T, object>(action, params, { ...options, tracking: false });
  return {
    takesLists: (nodeId) => nodesOffering(broker, SUBMIT).includes(nodeId),
    one: async ({ nodeId: nodeID, timeoutMs: timeout, command }) => {
      const { action, params, meta, requestId: requestID } = command;
      return call<Answer<unknown>>(action, params, { nodeID, timeout, meta, requestID });
    },
    submit: (nodeID, commands, timeout) =>
      call<ListPart>(SUBMIT, { commands }, { nodeID, timeout }),
    collect: (nodeID, list, token, timeout) =>
      call<ListPart>(COLLECT, { list }, { nodeID, timeout, meta: { token } }),
    nowMs: () => systemClock.nowMs(),
    atEndOfTurn: (work) => void setImmediate(work),
  };
}

/** A class, because every request creates one. */
class ServiceClient implements Bus {
  private readonly shared: Shared;
  private readonly requestId: string;
  private readonly timeouts: Timeouts;
  private readonly meta: { token?: string };

  constructor(shared: Shared, requestId: string, token: string | undefined, timeouts: Timeouts) {
    this.shared = shared;
    this.requestId = requestId;
    this.timeouts = timeouts;
    this.meta = token === undefined ? {} : { token };
  }

  async call<T>(action: string, params: object, repeatable = true): Promise<Answer<T>> {
    const first = await this.tryOnce<T>(action, params, this.timeouts.firstMs);
    if (first.type === "answered") return first.answer;
    // The node left or died before it answered: try once more on another one.
    const nodeID = nodesOffering(this.shared.broker, action).find(
      (nodeId) => nodeId !== first.nodeId,
    );
    if (nodeID === undefined || (first.type === "lost" && !repeatable)) return refused("TRY_AGAIN");
    const second = await this.tryOnce<T>(action, params, this.timeouts.secondMs, nodeID);
    return second.type === "answered" ? second.answer : refused("TRY_AGAIN");
  }

  broadcastCall(action: string): Promise<{ nodeId: string; value: unknown }[]> {
    return Promise.all(
      nodesOffering(this.shared.broker, action).map(async (nodeId) => {
        const answer = await this.send<unknown>(action, {}, BROADCAST_MS, nodeId).catch(
          () => undefined,
        );
        return { nodeId, value: answer?.ok === true ? answer.value : undefined };
      }),
    );
  }

  command<T>(
    action: CommandAction,
    params: { eventId: string },
    notSent: NotSent,
  ): Promise<Answer<T>> {
    const { order, callOwner } = this.shared;
    const send: Send<T> = (nodeId, insteadOf) =>
      insteadOf === undefined
        ? this.tryCommand(action, params, this.timeouts.firstMs, nodeId)
        : this.tryCommand(action, { ...params, insteadOf }, SECOND_OWNER_MS, nodeId);
    return callOwner<T>(order.of(params.eventId), send, notSent);
  }

  /** A command to this node itself goes alone: there is nothing to save. */
  private tryCommand<T>(
    action: CommandAction,
    params: object,
    timeoutMs: number,
    nodeId: string,
  ): Promise<CallResult<T>> {
    const { broker, tracing, sendCommand } = this.shared;
    if (nodeId === broker.nodeID) return this.tryOnce(action, params, timeoutMs, nodeId);
    return settledCall(
      traceCall(tracing, action, nodeId, (trace) =>
        sendCommand({
          nodeId,
          timeoutMs,
          command: { action, params, meta: { ...this.meta, ...trace }, requestId: this.requestId },
        }),
      ) as Promise<Answer<T>>,
    );
  }

  private tryOnce<T>(
    action: string,
    params: object,
    timeoutMs: number,
    nodeID?: string,
  ): Promise<CallResult<T> & { nodeId?: string }> {
    return settledCall(this.send<T>(action, params, timeoutMs, nodeID));
  }

  private send<T>(
    action: string,
    params: object,
    timeout: number,
    nodeID?: string,
  ): Promise<Answer<T>> {
    // The gateway itself drains its requests at a stop; Moleculer's tracking costs every answer.
    const options: CallingOptions = {
      timeout,
      tracking: false,
      meta: this.meta,
      requestID: this.requestId,
    };
    if (nodeID !== undefined) options.nodeID = nodeID;
    return this.shared.broker.call<Answer<T>, object>(action, params, options);
  }
}
