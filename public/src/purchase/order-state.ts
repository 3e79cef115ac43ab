import { type Code, type Problem, isRetryable } from "../api/problem.ts";
import type { Purchase } from "../api/types.ts";
import { backOffMs } from "../session/back-off.ts";
import type { PendingOrder } from "./pending-order.ts";

/** An order in flight. `outcomeUnknown`: an answer was lost, so an earlier try may have sold. */
export type OrderUnderWay = { pending: PendingOrder; tries: number; outcomeUnknown: boolean };

export type OrderState =
  | { is: "idle" }
  | ({ is: "sending" } & OrderUnderWay)
  /** Retries after `waitMs`. */
  | ({ is: "waiting"; code: Code; waitMs: number } & OrderUnderWay)
  /** Retries are used up. The key is kept, and the buyer decides when to continue. */
  | ({ is: "paused"; code: Code } & OrderUnderWay)
  | { is: "bought"; purchase: Purchase }
  /** Nothing was bought, and the key is free. */
  | { is: "refused"; problem: Problem };

const TRIES_MAX = 8;
/** Age up to which a stored order continues by itself. Older ones ask the buyer first. */
const RESUME_MAX_AGE_MS = 600_000;

/** Codes that leave open whether the order was carried out. */
const UNKNOWN_OUTCOME_CODES: readonly Code[] = ["UNREACHABLE", "OUTCOME_UNKNOWN", "INTERNAL"];

/** Returns the state after an answer other than a sale. `random` in [0, 1) is the jitter. */
export function afterProblem(
  { pending, tries, outcomeUnknown }: OrderUnderWay,
  problem: Problem,
  random: number,
): OrderState {
  const { code } = problem;
  const signedOut = code === "UNAUTHENTICATED" || code === "TOKEN_EXPIRED";
  // The key of an order that may have sold is kept until its buyer signs in again.
  if (signedOut && outcomeUnknown) return { is: "paused", code, pending, tries, outcomeUnknown };
  if (!isRetryable(problem)) return { is: "refused", problem };
  const next = {
    pending,
    tries: tries + 1,
    outcomeUnknown: outcomeUnknown || UNKNOWN_OUTCOME_CODES.includes(code),
  };
  if (next.tries >= TRIES_MAX) return { is: "paused", code, ...next };
  return { is: "waiting", code, waitMs: backOffMs(tries, problem, random), ...next };
}

/** Returns the first state of a stored order. The outcome of its last try is unknown. */
export function resumed(pending: PendingOrder | undefined, nowMs: number): OrderState {
  if (pending === undefined) return { is: "idle" };
  const order = { pending, tries: 0, outcomeUnknown: true };
  if (nowMs - pending.sinceMs > RESUME_MAX_AGE_MS)
    return { is: "paused", code: "UNREACHABLE", ...order };
  return { is: "sending", ...order };
}

export function isUnderWay(state: OrderState): state is OrderState & OrderUnderWay {
  return state.is === "sending" || state.is === "waiting" || state.is === "paused";
}
