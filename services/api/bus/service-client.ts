import type { CallingOptions, ServiceBroker } from "moleculer";
import { type Answer, refused } from "../../../domain/refusal.ts";
import { type Clock, systemClock } from "../../../lib/concurrency/clock.ts";
import { createEventOrder, nodesOffering } from "../../../lib/bus/event-owner.strategy.ts";
import { type CallResult, classifyCallError } from "./call-errors.ts";
import type { Bus, NotSent } from "../routing/route.ts";

/**
 * An owner answers TRY_AGAIN well within this time. Silence means that it is dead, frozen, cut off,
 * or waits for a commit of unknown outcome.
 */
const OWNER_TIMEOUT_MS = 1_000;
const SWEEP_MS = 50;
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

  command<T>(action: string, params: { eventId: string }, notSent: NotSent): Promise<Answer<T>> {
    const { order, callOwner } = this.shared;
    const send: Send<T> = (nodeID, unresponsiveOwner) =>
      unresponsiveOwner === undefined
        ? this.tryOnce(action, params, this.timeouts.firstMs, nodeID)
        : this.tryOnce(
            action,
            { ...params, insteadOf: unresponsiveOwner },
            SECOND_OWNER_MS,
            nodeID,
          );
    return callOwner<T>(order.of(params.eventId), send, notSent);
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

/**
 * Sends the command to a node. Rejects with faults of a service only. `unresponsiveOwner` is the
 * owner that did not answer, for the next node to check.
 */
export type Send<T> = (
  nodeId: string,
  unresponsiveOwner: string | undefined,
) => Promise<CallResult<T>>;

/** See `createOwnerCall`. `order`: the nodes that sell the event, its owner first. */
export type OwnerCall = <T>(
  order: readonly string[],
  send: Send<T>,
  notSent: NotSent,
) => Promise<Answer<T>>;

/**
 * Calls the event's owner and, if that does not answer within a second or is gone, the next node in
 * order, with the same command and so the same transaction id. Nodes that cannot be reached are
 * skipped at once; where there is no other, the answer is `notSent`. After a try of unknown outcome
 * only a sale counts, from any node; otherwise the answer is OUTCOME_UNKNOWN. A late answer of the
 * owner still counts.
 */
export function createOwnerCall(clock: Clock): OwnerCall {
  const orTimeout = createTimeout(clock);

  return async function call<T>(
    order: readonly string[],
    send: Send<T>,
    notSent: NotSent,
  ): Promise<Answer<T>> {
    for (let tried = 1; tried <= order.length; tried += 1) {
      const nodeId = order[tried - 1] ?? "";
      const sent = send(nodeId, tried === 1 ? undefined : order[0]);
      const others = order.slice(tried);
      const result = others.length === 0 ? await sent : await orTimeout(sent);
      if (result === "timeout" || result.type === "lost")
        return settled([sent, callNext(others, nodeId, send)], notSent);
      if (result.type === "answered") return result.answer;
    }
    return refused(notSent);
  };
}

async function callNext<T>(
  order: readonly string[],
  unresponsiveOwner: string,
  send: Send<T>,
): Promise<CallResult<T>> {
  for (const nodeId of order) {
    const result = await send(nodeId, unresponsiveOwner);
    if (result.type !== "not-sent") return result;
  }
  return { type: "not-sent" };
}

/** Answers a sale as soon as a try reports one. Else the owner's refusal, or OUTCOME_UNKNOWN. */
async function settled<T>(
  tries: readonly Promise<CallResult<T>>[],
  notSent: NotSent,
): Promise<Answer<T>> {
  return new Promise((resolve, reject) => {
    for (const sent of tries)
      sent.then((result) => {
        if (result.type === "answered" && result.answer.ok) resolve(result.answer);
      }, reject);
    Promise.all(tries).then((results) => {
      const answers = results.flatMap((result) =>
        result.type === "answered" ? [result.answer] : [],
      );
      const lost = results.some(({ type }) => type === "lost");
      const unknown = answers.some(
        (answer) => !answer.ok && answer.refusal.code === "OUTCOME_UNKNOWN",
      );
      resolve(lost || unknown ? refused("OUTCOME_UNKNOWN") : (answers[0] ?? refused(notSent)));
    }, reject);
  });
}

/** Bounds the wait for an owner. One timer serves all calls, since a rush has thousands. */
function createTimeout(clock: Clock): <T>(promise: Promise<T>) => Promise<T | "timeout"> {
  const waiting = new Set<{ sinceMs: number; expire: () => void }>();
  let sweeping = false;
  const scheduleSweep = (): void => {
    if (sweeping) return;
    sweeping = true;
    clock.after(SWEEP_MS, () => {
      sweeping = false;
      const dueMs = clock.nowMs() - OWNER_TIMEOUT_MS;
      // In order of arrival, since all have the same time-out.
      for (const entry of waiting) {
        if (entry.sinceMs > dueMs) break;
        waiting.delete(entry);
        entry.expire();
      }
      if (waiting.size > 0) scheduleSweep();
    });
  };
  return async (promise) => {
    let entry: { sinceMs: number; expire: () => void } | undefined;
    const timeout = new Promise<"timeout">((resolve) => {
      entry = { sinceMs: clock.nowMs(), expire: () => resolve("timeout") };
      waiting.add(entry);
    });
    scheduleSweep();
    try {
      return await Promise.race([promise, timeout]);
    } finally {
      if (entry !== undefined) waiting.delete(entry);
    }
  };
}
