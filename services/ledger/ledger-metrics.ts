import type { Database } from "../../lib/database/pool.ts";
import type { Metrics, Sample } from "../../lib/observability/metrics.ts";
import { watchMessages } from "../../lib/queue/queue-metrics.ts";
import type { Consumer, Publisher } from "../../lib/queue/index.ts";
import { differencesOf, type EventNumbers } from "./reconcile/discrepancy.ts";
import { BACKLOG, EVENT_NUMBERS } from "./reconcile/reconcile.sql.ts";
import type { LedgerCounts } from "./booking/transaction-consumer.ts";

type Backlog = { pendingRows: number; failedRows: number; oldestPendingMs: number | null };
type Backups = { fullS: number | null; archivedS: number | null; archiveFailures: number };

/** One look at the tables serves all metrics of a scrape. */
const FRESH_MS = 2_000;
/** Events that are checked per scrape. The others are checked after their next sale. */
const CHECKED_AT_ONCE = 10;
const TOUCHED_MAX = 1_000;

/** End of the newest backup, and the state of WAL archiving as the server reports it. */
const BACKUPS = `
  SELECT (SELECT extract(epoch FROM max(ended_at)) FROM backup_run)::float8 AS "fullS",
    extract(epoch FROM last_archived_time)::float8 AS "archivedS",
      failed_count::float8 AS "archiveFailures" FROM pg_stat_archiver`;

export type LedgerWatched = {
  database: Database;
  counts: LedgerCounts;
  consumer: () => Consumer | undefined;
  publisher: () => Publisher | undefined;
};

/**
 * Registers metrics of the ledger's lag and of its tables' agreement. Booked events are checked at
 * each scrape: sums that should never differ are watched all the same. The result's `touched` is
 * called for each booked event.
 */
export function registerLedgerMetrics(
  metrics: Metrics,
  { database, counts, consumer, publisher }: LedgerWatched,
): { touched: (eventId: string) => void } {
  const backlog = fresh(async () => (await database.query<Backlog>({ text: BACKLOG }))[0]);
  const backups = fresh(async () => (await database.query<Backups>({ text: BACKUPS }))[0]);
  const number = (
    name: string,
    help: string,
    read: () => Promise<number | null | undefined> | number | undefined,
  ): void =>
    metrics.read(name, help, name.endsWith("_total") ? "counter" : "gauge", async () =>
      some(await read()),
    );

  number(
    "boxoffice_ledger_lag_seconds",
    "Age of the oldest sale that is not booked.",
    async () => ((await backlog())?.oldestPendingMs ?? 0) / 1_000,
  );
  number(
    "boxoffice_outbox_pending_rows",
    "Sales that are not booked.",
    async () => (await backlog())?.pendingRows,
  );
  number(
    "boxoffice_ledger_failed_rows",
    "Sales that could not be booked and were put aside.",
    async () => (await backlog())?.failedRows,
  );
  number(
    "boxoffice_ledger_applied_rows_total",
    "Sales booked by this node.",
    () => counts.appliedRows,
  );
  number(
    "boxoffice_ledger_outages_total",
    "Times that booking had to wait for PostgreSQL.",
    () => counts.outages,
  );
  number("boxoffice_ledger_consumer_paused", "1 while this node takes no messages.", () =>
    Number(consumer()?.paused() ?? true),
  );
  number("boxoffice_ledger_consumer_connected", "1 while this node is connected to RabbitMQ.", () =>
    Number(consumer()?.connected() ?? false),
  );
  watchMessages(metrics, "ledger", publisher);
  number(
    "boxoffice_backup_last_success_timestamp_seconds",
    "End of the newest full backup.",
    async () => (await backups())?.fullS,
  );
  number(
    "boxoffice_wal_archived_timestamp_seconds",
    "When the server last archived a WAL file.",
    async () => (await backups())?.archivedS,
  );
  number(
    "boxoffice_wal_archive_failures_total",
    "Failed tries to archive a WAL file.",
    async () => (await backups())?.archiveFailures,
  );

  const touched = new Set<string>();
  const checked = metrics
    .counters("boxoffice_checked_events_total", "Events counted through after they were booked.")
    .child();
  const oversold = metrics
    .counters(
      "boxoffice_oversold_events_total",
      "Of them, those with more active tickets than places.",
    )
    .child();
  const diverging = metrics
    .counters(
      "boxoffice_diverging_events_total",
      "Of them, those whose tickets, capacity and ledger disagree.",
    )
    .child();
  const check = async (): Promise<readonly Sample[]> => {
    for (const eventId of [...touched].slice(0, CHECKED_AT_ONCE)) {
      const [found] = await database.query<EventNumbers & { total: number | null }>({
        text: EVENT_NUMBERS,
        values: [eventId, eventId],
      });
      touched.delete(eventId);
      if (found === undefined || found.total === null) continue;
      checked.value += 1;
      const kinds = differencesOf(found).map(({ kind }) => kind);
      if (kinds.includes("oversold")) oversold.value += 1;
      if (kinds.includes("capacity") || kinds.includes("ledger")) diverging.value += 1;
    }
    return [{ value: touched.size }];
  };
  metrics.read(
    "boxoffice_unchecked_events",
    "Events booked lately that are still to be counted through.",
    "gauge",
    check,
  );
  return {
    touched(eventId) {
      if (touched.size < TOUCHED_MAX) touched.add(eventId);
    },
  };
}

function some(value: number | null | undefined): Sample[] {
  return value === null || value === undefined ? [] : [{ value }];
}

function fresh<T>(read: () => Promise<T>): () => Promise<T> {
  let latest: { askedAtMs: number; value: Promise<T> } | undefined;
  return () => {
    const nowMs = performance.now();
    if (latest === undefined || nowMs - latest.askedAtMs > FRESH_MS)
      latest = { askedAtMs: nowMs, value: read() };
    return latest.value;
  };
}
