import type { Context } from "moleculer";
import type { Answer } from "../../domain/refusal.ts";
import { refusalOfFault } from "./faults.ts";
import type { Bus } from "./route.ts";

/**
 * Longer than a service takes to say TRY_AGAIN or OUTCOME_UNKNOWN itself (2.5 s), so that silence means that its node is gone.
 */
const ANSWER_MS = 4_000;

/** Calls services on behalf of one request; `token` is the internal token of whoever asks. */
export function busOf(context: Context, token: string | undefined): Bus {
  const call = async <T>(kind: "ask" | "command", action: string, params: object): Promise<Answer<T>> => {
    try {
      return await context.call<Answer<T>, object>(action, params, {
        timeout: ANSWER_MS,
        // The gateway waits for its requests, and so for these calls, when it stops; Moleculer's list of calls is walked at each answer.
        tracking: false,
        ...(token === undefined ? {} : { meta: { token } }),
      });
    } catch (error) {
      const refusal = refusalOfFault(error, kind);
      if (refusal === undefined) throw error;
      return { ok: false, refusal };
    }
  };
  return {
    ask: (action, params) => call("ask", action, params),
    command: (action, params) => call("command", action, params),
  };
}
