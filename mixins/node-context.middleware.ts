import type { Middleware } from "moleculer";
import type { Config } from "../config/index.ts";
import { openNodeContext } from "../lib/bus/node-context.ts";
import { tuneGc } from "../lib/observability/gc-tuning.ts";
import type { openTracing } from "../lib/observability/tracing.ts";

/**
 * Gives the broker its configuration, metrics and traces. Must be the first middleware: the others
 * read them.
 */
export function nodeContext(
  config: Config,
  startTracing: typeof openTracing | undefined,
): Middleware {
  const { nodeId, services, traces } = config;
  return {
    name: "NodeContext",
    created(broker) {
      tuneGc(0);
      const log = broker.getLogger("node");
      const tracing =
        traces &&
        startTracing?.(traces, { nodeId, services, warn: (message) => log.warn(message) });
      openNodeContext(broker, config, tracing);
    },
  };
}
