import type { CallingOptions, ServiceBroker } from "moleculer";
import { type Answer, refused } from "../../../domain/refusal.ts";
import { systemClock } from "../../../lib/concurrency/clock.ts";
import { createEventOrder, nodesOffering } from "../../../lib/bus/event-owner.strategy.ts";
import { classifyCallError } from "./call-errors.ts";
import { createOwnerCall, type OwnerCall, type CallResult } from "./owner-failover.ts";
import type { Bus } from "../routing/route.ts";

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
  const shared = {
    broker,
    order: createEventOrder(broker, ANY_COMMAND),
    callOwner: createOwnerCall(systemClock),
  };
  return (requestId, token, timeouts = TIMEOUTS) =>
    new ServiceClient(shared, requestId, token, timeouts);
}

type Shared = {
  broker: ServiceBroker;
  order: ReturnType<typeof createEventOrder>;
  callOwner: OwnerCall;
};

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

  command<T>(action: string, params: { eventId: string }): Promise<Answer<T>> {
    const { order, callOwner } = this.shared;
    return callOwner<T>(order.of(params.eventId), (nodeID, unresponsiveOwner) =>
      unresponsiveOwner === undefined
        ? this.tryOnce(action, params, this.timeouts.firstMs, nodeID)
        : this.tryOnce(
            action,
            { ...params, insteadOf: unresponsiveOwner },
            SECOND_OWNER_MS,
            nodeID,
          ),
    );
  }

  private async tryOnce<T>(
    action: string,
    params: object,
    timeoutMs: number,
    nodeID?: string,
  ): Promise<CallResult<T> & { nodeId?: string }> {
    try {
      return { type: "answered", answer: await this.send<T>(action, params, timeoutMs, nodeID) };
    } catch (error) {
      const result = classifyCallError(error);
      if (result === undefined) throw error;
      return result;
    }
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
