import type { ServiceSchema, ServiceSettingSchema } from "moleculer";
import { accepted } from "../../domain/refusal.ts";

/** Lets the answer leave before the node begins to stop. */
const ANSWER_MS = 100;

type NodeMethods = { stopNode(): void };

/** Operates one node, whatever else it runs. */
const NodeService: ServiceSchema<ServiceSettingSchema, NodeMethods> = {
  name: "node",
  actions: {
    /**
     * Stops the node after it has handed over its events and finished its work. Answers at once.
     */
    drain: {
      auth: "operator",
      params: { $$strict: true },
      handler() {
        setTimeout(() => this.stopNode(), ANSWER_MS);
        return accepted({ draining: true });
      },
    },
  },
  methods: {
    /** Ends the process as a supervisor does. A process with several nodes replaces this method. */
    stopNode() {
      process.kill(process.pid, "SIGTERM");
    },
  },
};
export default NodeService;
