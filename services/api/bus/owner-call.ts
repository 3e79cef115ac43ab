import { type Answer, refused } from "../../../domain/refusal.ts";
import type { Clock } from "../../../lib/concurrency/clock.ts";
import type { NotSent } from "../routing/route.ts";
import type { CallResult } from "./call-errors.ts";

/**
 * An owner answers TRY_AGAIN well within this time. Silence means that it is dead, frozen, cut off,
 * or waits for a commit of unknown outcome.
 */
const OWNER_TIMEOUT_MS = 1_000;
const SWEEP_MS = 50;

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

/**
 * Bounds the wait for an owner. One timer serves all calls, since a rush has thousands. Time in
 * which this process was too busy to read answers, so that its timers were late, is no silence of
 * an owner: a crowd that slows the gateway must not have its purchases sent twice.
 */
function createTimeout(clock: Clock): <T>(promise: Promise<T>) => Promise<T | "timeout"> {
  const waiting = new Set<{ sinceMs: number; expire: () => void }>();
  let sweeping = false;
  let busyMs = 0;
  const listenedMs = (): number => clock.nowMs() - busyMs;
  const scheduleSweep = (): void => {
    if (sweeping) return;
    sweeping = true;
    const sweepAtMs = clock.nowMs() + SWEEP_MS;
    clock.after(SWEEP_MS, () => {
      sweeping = false;
      busyMs += Math.max(0, clock.nowMs() - sweepAtMs);
      const dueMs = listenedMs() - OWNER_TIMEOUT_MS;
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
      entry = { sinceMs: listenedMs(), expire: () => resolve("timeout") };
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
