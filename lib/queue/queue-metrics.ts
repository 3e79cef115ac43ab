import type { Metrics } from "../observability/metrics.ts";
import type { Publisher } from "./publisher.ts";

/**
 * Counts messages to the ledger's queue by outcome. The sweeper repeats dropped and failed ones.
 */
export function watchMessages(
  metrics: Metrics,
  service: "ledger" | "purchasing",
  publisher: () => Publisher | undefined,
): void {
  metrics.read(
    `boxoffice_${service}_messages_total`,
    `Messages to the ledger's queue from ${service}, by what became of them.`,
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
