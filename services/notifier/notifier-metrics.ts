import { shareReading } from "../../lib/concurrency/shared-reading.ts";
import type { Database } from "../../lib/database/pool.ts";
import type { Metrics } from "../../lib/observability/metrics.ts";
import type { Consumer, Publisher } from "../../lib/queue/index.ts";
import { watchMessages } from "../../lib/queue/queue-metrics.ts";
import type { Breaker } from "./delivery/back-off.ts";
import type { Outcome } from "./delivery/delivery.ts";
import { BACKLOG } from "./delivery/notification.sql.ts";

export type Backlog = { waiting: number; overdueS: number | null; dead: number };

/** One look at the table serves all metrics of a scrape. */
const FRESH_MS = 2_000;

/** Registers the notifier's metrics. The result counts what became of a notification. */
export function registerNotifierMetrics(
  metrics: Metrics,
  {
    database,
    consumer,
    publisher,
    breaker,
  }: {
    database: Database;
    breaker: Breaker;
    consumer: () => Consumer | undefined;
    publisher: () => Publisher | undefined;
  },
): (kind: string, outcome: Outcome) => void {
  const backlog = shareReading(async () => (await database.query<Backlog>(BACKLOG))[0], FRESH_MS);
  const gauge = (name: string, help: string, read: (found: Backlog) => number | null): void =>
    metrics.read(name, help, "gauge", async () => {
      const found = await backlog();
      return found === undefined ? [] : [{ value: read(found) ?? 0 }];
    });
  gauge("boxoffice_mail_waiting", "Notifications that are not sent.", ({ waiting }) => waiting);
  gauge(
    "boxoffice_mail_lag_seconds",
    "How long the first notification that is due has waited.",
    ({ overdueS }) => overdueS,
  );
  gauge("boxoffice_mail_dead", "Notifications that were given up.", ({ dead }) => dead);
  metrics.read(
    "boxoffice_mail_server_failing",
    "1 from a failure of the SMTP server until it takes a mail again.",
    "gauge",
    () => [{ value: Number(breaker.isProbing()) }],
  );
  metrics.read(
    "boxoffice_notifier_consumer_connected",
    "1 while this node is connected to RabbitMQ.",
    "gauge",
    () => [{ value: Number(consumer()?.connected() ?? false) }],
  );
  watchMessages(metrics, "notifier", publisher);
  const outcomes = metrics.counters(
    "boxoffice_mail_outcomes_total",
    "Tries to send a notification, by what became of it.",
    ["kind", "outcome"],
  );
  return (kind, outcome) => {
    outcomes.child(kind, outcome).value += 1;
  };
}
