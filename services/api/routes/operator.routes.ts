import { accepted } from "../../../domain/refusal.ts";
import { ref } from "../openapi/schemas.ts";
import { engineStatus } from "./engine-status.ts";
import type { Route } from "../routing/route.ts";

const engine: Route = {
  method: "GET",
  path: "/api/operator/engine",
  auth: "operator",
  about: {
    id: "getEngine",
    tag: "operations",
    does: "The engine now: nodes, workers, the ledger and its queue, and which layer answered the searches. Counts only grow while a node runs.",
    answer: { is: "The engine now", schema: ref("Engine") },
  },
  status: 200,
  call: async (_input, bus) => accepted(await engineStatus(bus, new Date())),
};

export const OPERATOR_ROUTES: readonly Route[] = [engine];
