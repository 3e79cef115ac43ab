import type { ServiceSchema } from "moleculer";
import { accepted } from "../../domain/refusal.ts";

/** A beat, so that the answer is on its way before the node begins to leave. */
const ANSWER_MS = 100;

/** What an operator may ask of any node, whatever else it runs. */
export function createNodeService(drain: () => void): ServiceSchema {
  return {
    name: "node",
    actions: {
      /** The node says that it leaves, hands over its events, finishes what it has and ends. Answers at once. */
      drain: {
        auth: "operator",
        params: { $$strict: true },
        handler() {
          setTimeout(drain, ANSWER_MS);
          return accepted({ draining: true });
        },
      },
    },
  };
}
