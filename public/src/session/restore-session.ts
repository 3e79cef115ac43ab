import { asProblem, isRetryable } from "../api/problem.ts";
import { backOffMs } from "./back-off.ts";
import { pause } from "./pause.ts";
import { accessToken, sessionState } from "./session.ts";

/** After this time without an answer, pages offer to sign in again. */
const DELAYED_AFTER_MS = 3_000;
const RETRY_MAX_MS = 30_000;

let retryNow = new AbortController();

/** Restores the session from the refresh cookie. Retries until the state is known. */
export async function restoreSession(): Promise<void> {
  const timer = setTimeout(markDelayed, DELAYED_AFTER_MS);
  for (let failures = 0; isUnknown(); failures += 1) {
    const problem = await accessToken().then(() => undefined, asProblem);
    if (problem === undefined || !isUnknown()) break;
    if (isRetryable(problem)) {
      markDelayed();
      retryNow = new AbortController();
      await pause(backOffMs(failures, problem, Math.random(), RETRY_MAX_MS), retryNow.signal);
    } else sessionState.set({ state: "signed-out" });
  }
  clearTimeout(timer);
}

/** Ends the current wait between two tries. */
export function retryRestore(): void {
  retryNow.abort();
}

function isUnknown(): boolean {
  const { state } = sessionState.get();
  return state === "restoring" || state === "delayed";
}

function markDelayed(): void {
  if (sessionState.get().state === "restoring") sessionState.set({ state: "delayed" });
}
