import type { Metrics } from "../observability/metrics.ts";
import type { Publisher } from "./publisher.ts";

/**
 * Registers the count of messages by result. The sweeper repeats dropped and failed ones, so they
 * cost time only.
 */
export function watchMessages(
  metrics: Metrics,
  service: "ledger" | "notifier" | "purchasing",
  publisher: () => Publisher | undefined,
): void {
  metrics.read(
    `boxoffice_${service}_messages_total`,
    `Messages to a queue from ${service}, by what became of them.`,
    "counter",
    () => {
      const counts = publisher()?.counts();
      if (counts === undefined) return [];
      return (["confirmed", "dropped", "failed"] as const).map((fate) => ({
        labels: { fate },
        value: counts[fate],
      }));
    },
  );
}
