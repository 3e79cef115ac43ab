import { type Code, type Problem, isPassing } from "../api/problem.ts";
import type { Purchase } from "../api/types.ts";
import type { Attempt } from "./pending-order.ts";

/** What is known of an order under way. `inDoubt`: some try may have sold, for its answer never came. */
export type UnderWay = { attempt: Attempt; tries: number; inDoubt: boolean };

export type PurchaseState =
  | { is: "idle" }
  | ({ is: "asking" } & UnderWay)
  /** Will ask again by itself. */
  | ({ is: "waiting"; code: Code; waitMs: number } & UnderWay)
  /** Asked often enough for now: the key is kept, and a person says when to go on. */
  | ({ is: "paused"; code: Code } & UnderWay)
  | { is: "bought"; purchase: Purchase }
  /** Nothing was bought, and the key is free. */
  | { is: "refused"; problem: Problem };

const TRIES = 8;
const FIRST_MS = 400;
const LONGEST_MS = 8_000;
/** Of an order found in the storage: sooner it goes on by itself, later the person is asked, who may think of something else by now. */
const STILL_WANTED_MS = 600_000;

/** After these answers it stays open whether the order was carried out. */
const DOUBTFUL: readonly Code[] = ["UNREACHABLE", "OUTCOME_UNKNOWN", "INTERNAL"];

/** What comes after an answer that was not a sale. `chance` in [0, 1) spreads those who were turned away together. */
export function afterProblem(
  { attempt, tries, inDoubt }: UnderWay,
  problem: Problem,
  chance: number,
): PurchaseState {
  const signedOut = problem.code === "UNAUTHENTICATED" || problem.code === "TOKEN_EXPIRED";
  // Of an order in doubt the key is kept until its buyer is back.
  if (signedOut && inDoubt) return { is: "paused", code: problem.code, attempt, tries, inDoubt };
  if (!isPassing(problem)) return { is: "refused", problem };
  const next = { attempt, tries: tries + 1, inDoubt: inDoubt || DOUBTFUL.includes(problem.code) };
  if (next.tries >= TRIES) return { is: "paused", code: problem.code, ...next };
  const backOffMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** tries) * (0.5 + chance / 2);
  return {
    is: "waiting",
    code: problem.code,
    waitMs: Math.max(backOffMs, problem.retryAfterMs ?? 0),
    ...next,
  };
}

/** What to do about an order of an earlier page: nobody knows what became of its last try. */
export function resumed(attempt: Attempt | undefined, nowMs: number): PurchaseState {
  if (attempt === undefined) return { is: "idle" };
  const order = { attempt, tries: 0, inDoubt: true };
  if (nowMs - attempt.sinceMs > STILL_WANTED_MS)
    return { is: "paused", code: "UNREACHABLE", ...order };
  return { is: "asking", ...order };
}

export function isUnderWay(state: PurchaseState): state is PurchaseState & UnderWay {
  return state.is === "asking" || state.is === "waiting" || state.is === "paused";
}
