import type { CallingOptions, Context, ServiceBroker } from "moleculer";
import { type Answer, refused } from "../../domain/refusal.ts";
import { systemClock } from "../../mixins/clock.ts";
import { createEventOrder, nodesOffering } from "../../mixins/event-owner.ts";
import { fateOf } from "./faults.ts";
import { createOwnerCall, type Reply } from "./owner-call.ts";
import type { Bus } from "./route.ts";

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

/** Calls services on behalf of one request; `token` is the internal token of whoever asks. */
export type BusOf = (context: Pick<Context, "call">, token: string | undefined, patience?: Patience) => Bus;
/** How long the first try may take, and the second of what may be asked again. */
export type Patience = { firstMs: number; againMs: number };

/** The gateway's way to the services of all nodes. */
export function createBus(broker: ServiceBroker): BusOf {
  const order = createEventOrder(broker, A_COMMAND);
  const callOwner = createOwnerCall(systemClock);

  return (context, token, { firstMs, againMs } = { firstMs: ANSWER_MS, againMs: AGAIN_MS }) => {
    // The gateway waits for its requests, and so for these calls, when it stops; Moleculer's list of calls is walked at each answer.
    const base = { timeout: firstMs, tracking: false, ...(token === undefined ? {} : { meta: { token } }) };
    const tryOnce = async <T>(action: string, params: object, options: CallingOptions): Promise<Reply<T> & { nodeId?: string }> => {
      try {
        return { type: "answered", answer: await context.call<Answer<T>, object>(action, params, options) };
      } catch (error) {
        const fate = fateOf(error);
        if (fate === undefined) throw error;
        return fate;
      }
    };
    return {
      async ask<T>(action: string, params: object, again = true): Promise<Answer<T>> {
        const first = await tryOnce<T>(action, params, base);
        if (first.type === "answered") return first.answer;
        // It was on its way to a node that left or died. One more try, elsewhere.
        const nodeID = nodesOffering(broker, action).find((nodeId) => nodeId !== first.nodeId);
        if (nodeID === undefined || (first.type === "lost" && !again)) return refused("TRY_AGAIN");
        const second = await tryOnce<T>(action, params, { ...base, nodeID, timeout: againMs });
        return second.type === "answered" ? second.answer : refused("TRY_AGAIN");
      },
      everywhere: (action) =>
        Promise.all(
          nodesOffering(broker, action).map(async (nodeId) => {
            const options = { ...base, nodeID: nodeId, timeout: EVERYWHERE_MS };
            const answer = await context.call<Answer<unknown>, object>(action, {}, options).catch(() => undefined);
            return { nodeId, value: answer?.ok === true ? answer.value : undefined };
          }),
        ),
      command: <T>(action: string, params: { eventId: string }) =>
        callOwner<T>(order.of(params.eventId), (nodeID, insteadOf) =>
          insteadOf === undefined
            ? tryOnce(action, params, { ...base, nodeID })
            : tryOnce(action, { ...params, insteadOf }, { ...base, nodeID, timeout: SECOND_ANSWER_MS }),
        ),
    };
  };
}
