import type { CallingOptions, Context, ServiceBroker } from "moleculer";
import { type Answer, refused } from "../../../domain/refusal.ts";
import { systemClock } from "../../../lib/concurrency/clock.ts";
import { createEventOrder, nodesOffering } from "../../../lib/bus/event-owner.strategy.ts";
import { classifyCallError } from "./call-errors.ts";
import { createOwnerCall, type OwnerCall, type CallResult } from "./owner-failover.ts";
import type { Bus } from "../routing/route.ts";

/** Longer than a service takes to say TRY_AGAIN or OUTCOME_UNKNOWN itself (2.5 s), so that silence means that its node is gone. */
const ANSWER_MS = 4_000;
/** The second try of what may be asked again: whoever waits has waited already. */
const AGAIN_MS = 2_000;
/** The second in order has a ping (0.3 s) and an epoch to take before it begins. */
const SECOND_ANSWER_MS = 2_800;
/** Who looks at the whole engine does not wait longer for one of its nodes. */
const EVERYWHERE_MS = 1_000;
/** Whoever serves one of the commands serves all. */
const A_COMMAND = "purchasing.buy";

const PATIENCE: Patience = { firstMs: ANSWER_MS, againMs: AGAIN_MS };

/** Calls services on behalf of one request; `token` is the internal token of whoever asks. */
export type BusOf = (
  context: Pick<Context, "call">,
  token: string | undefined,
  patience?: Patience,
) => Bus;
/** How long the first try may take, and the second of what may be asked again. */
export type Patience = { firstMs: number; againMs: number };

/** The gateway's way to the services of all nodes. */
export function createBus(broker: ServiceBroker): BusOf {
  const ways = {
    broker,
    order: createEventOrder(broker, A_COMMAND),
    callOwner: createOwnerCall(systemClock),
  };
  return (context, token, patience = PATIENCE) => new Calls(ways, context, token, patience);
}

type Ways = {
  broker: ServiceBroker;
  order: ReturnType<typeof createEventOrder>;
  callOwner: OwnerCall;
};

/** A class, since each request has one. */
class Calls implements Bus {
  private readonly ways: Ways;
  private readonly context: Pick<Context, "call">;
  private readonly patience: Patience;
  private readonly meta: { token?: string };

  constructor(
    ways: Ways,
    context: Pick<Context, "call">,
    token: string | undefined,
    patience: Patience,
  ) {
    this.ways = ways;
    this.context = context;
    this.patience = patience;
    this.meta = token === undefined ? {} : { token };
  }

  async ask<T>(action: string, params: object, again = true): Promise<Answer<T>> {
    const first = await this.tryOnce<T>(action, params, this.patience.firstMs);
    if (first.type === "answered") return first.answer;
    // It was on its way to a node that left or died. One more try, elsewhere.
    const nodeID = nodesOffering(this.ways.broker, action).find(
      (nodeId) => nodeId !== first.nodeId,
    );
    if (nodeID === undefined || (first.type === "lost" && !again)) return refused("TRY_AGAIN");
    const second = await this.tryOnce<T>(action, params, this.patience.againMs, nodeID);
    return second.type === "answered" ? second.answer : refused("TRY_AGAIN");
  }

  broadcastCall(action: string): Promise<{ nodeId: string; value: unknown }[]> {
    return Promise.all(
      nodesOffering(this.ways.broker, action).map(async (nodeId) => {
        const answer = await this.call<unknown>(action, {}, EVERYWHERE_MS, nodeId).catch(
          () => undefined,
        );
        return { nodeId, value: answer?.ok === true ? answer.value : undefined };
      }),
    );
  }

  command<T>(action: string, params: { eventId: string }): Promise<Answer<T>> {
    const { order, callOwner } = this.ways;
    return callOwner<T>(order.of(params.eventId), (nodeID, insteadOf) =>
      insteadOf === undefined
        ? this.tryOnce(action, params, this.patience.firstMs, nodeID)
        : this.tryOnce(action, { ...params, insteadOf }, SECOND_ANSWER_MS, nodeID),
    );
  }

  private async tryOnce<T>(
    action: string,
    params: object,
    timeoutMs: number,
    nodeID?: string,
  ): Promise<CallResult<T> & { nodeId?: string }> {
    try {
      return { type: "answered", answer: await this.call<T>(action, params, timeoutMs, nodeID) };
    } catch (error) {
      const fate = classifyCallError(error);
      if (fate === undefined) throw error;
      return fate;
    }
  }

  private call<T>(
    action: string,
    params: object,
    timeout: number,
    nodeID?: string,
  ): Promise<Answer<T>> {
    // The gateway waits for its requests, and so for these calls, when it stops; Moleculer's list of calls is walked at each answer.
    const options: CallingOptions = { timeout, tracking: false, meta: this.meta };
    if (nodeID !== undefined) options.nodeID = nodeID;
    return this.context.call<Answer<T>, object>(action, params, options);
  }
}
