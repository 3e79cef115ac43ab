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
    description:
      "The engine's state: nodes, workers, the ledger and its queue, and which layer answered " +
      "searches. Counters grow from the start of each node.",
    success: { description: "The engine's state", schema: ref("Engine") },
  },
  status: 200,
  call: async (_input, bus) => accepted(await engineStatus(bus, new Date())),
};

export const OPERATOR_ROUTES: readonly Route[] = [engine];
