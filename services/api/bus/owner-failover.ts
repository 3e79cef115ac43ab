import { type Answer, refused } from "../../../domain/refusal.ts";
import type { Clock } from "../../../lib/concurrency/clock.ts";

/** An owner answers TRY_AGAIN to what waits undecided, well within this: silence means dead, frozen, cut off, or a commit in doubt. */
const PATIENCE_TIMEOUT_MS = 1_000;
const SWEEP_MS = 50;

/** What became of one try. `not-sent`: it never reached an action. `lost`: it may have been carried out, and nobody will say. */
export type CallResult<T> =
  { type: "answered"; answer: Answer<T> } | { type: "not-sent" } | { type: "lost" };

/** Sends the command to a node; rejects with faults of ours only. `insteadOf`: the owner that should have answered, so that it may be looked for. */
export type Send<T> = (nodeId: string, insteadOf: string | undefined) => Promise<CallResult<T>>;

/** See `createOwnerCall`. `order`: the nodes that sell the event, its owner first. */
export type OwnerCall = <T>(order: readonly string[], send: Send<T>) => Promise<Answer<T>>;

/**
 * The caller's side of "Moving": asks the event's owner and, where that does not answer within a second or has gone, the next in order, with the same
 * command, so that its id keeps it one sale. Who cannot be reached at all is passed over at once.
 * Once a try may have been carried out unseen, only a sale is the truth, whoever tells it; without one it is OUTCOME_UNKNOWN. The owner may
 * still answer meanwhile, and is still heard: being slow is no reason to lose its answer.
 */
export function createOwnerCall(clock: Clock): OwnerCall {
  const patiently = patience(clock);

  return async function call<T>(order: readonly string[], send: Send<T>): Promise<Answer<T>> {
    for (let tried = 1; tried <= order.length; tried += 1) {
      const nodeId = order[tried - 1] ?? "";
      const sent = send(nodeId, tried === 1 ? undefined : order[0]);
      const others = order.slice(tried);
      const reply = others.length === 0 ? await sent : await patiently(sent);
      if (reply === "silence" || reply.type === "lost")
        return settled([sent, askNext(others, nodeId, send)]);
      if (reply.type === "answered") return reply.answer;
    }
    return refused("TRY_AGAIN");
  };
}

async function askNext<T>(
  order: readonly string[],
  insteadOf: string,
  send: Send<T>,
): Promise<CallResult<T>> {
  for (const nodeId of order) {
    const reply = await send(nodeId, insteadOf);
    if (reply.type !== "not-sent") return reply;
  }
  return { type: "not-sent" };
}

/** A sale as soon as either try tells of it. Otherwise the owner's own refusal, if all that was sent was refused; or nobody knows. */
async function settled<T>(tries: readonly Promise<CallResult<T>>[]): Promise<Answer<T>> {
  return new Promise((resolve, reject) => {
    for (const sent of tries)
      sent.then((reply) => {
        if (reply.type === "answered" && reply.answer.ok) resolve(reply.answer);
      }, reject);
    Promise.all(tries).then((replies) => {
      const answers = replies.flatMap((reply) => (reply.type === "answered" ? [reply.answer] : []));
      const lost = replies.some(({ type }) => type === "lost");
      const unknown = answers.some(
        (answer) => !answer.ok && answer.refusal.code === "OUTCOME_UNKNOWN",
      );
      resolve(lost || unknown ? refused("OUTCOME_UNKNOWN") : (answers[0] ?? refused("TRY_AGAIN")));
    }, reject);
  });
}

/** Waits for a promise as long as an owner may take. One timer serves all that wait: in a rush they are thousands. */
function patience(clock: Clock): <T>(promise: Promise<T>) => Promise<T | "silence"> {
  const waiting = new Set<{ sinceMs: number; giveUp: () => void }>();
  let sweeping = false;
  const sweepLater = (): void => {
    if (sweeping) return;
    sweeping = true;
    clock.after(SWEEP_MS, () => {
      sweeping = false;
      const dueMs = clock.nowMs() - PATIENCE_TIMEOUT_MS;
      // In order of arrival, since all have the same patience.
      for (const entry of waiting) {
        if (entry.sinceMs > dueMs) break;
        waiting.delete(entry);
        entry.giveUp();
      }
      if (waiting.size > 0) sweepLater();
    });
  };
  return async (promise) => {
    let entry: { sinceMs: number; giveUp: () => void } | undefined;
    const silence = new Promise<"silence">((resolve) => {
      entry = { sinceMs: clock.nowMs(), giveUp: () => resolve("silence") };
      waiting.add(entry);
    });
    sweepLater();
    try {
      return await Promise.race([promise, silence]);
    } finally {
      if (entry !== undefined) waiting.delete(entry);
    }
  };
}
