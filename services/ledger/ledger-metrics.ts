import { shareReading } from "../../lib/concurrency/shared-reading.ts";
import type { Database } from "../../lib/database/pool.ts";
import type { Metrics, Sample } from "../../lib/observability/metrics.ts";
import { watchMessages } from "../../lib/queue/queue-metrics.ts";
import type { Consumer, Publisher } from "../../lib/queue/index.ts";
import { differencesOf, type EventNumbers } from "./reconcile/discrepancy.ts";
import { BACKLOG, EVENT_NUMBERS } from "./reconcile/reconcile.sql.ts";
import type { LedgerCounts } from "./booking/transaction-consumer.ts";

type Backlog = { pendingRows: number; failedRows: number; oldestPendingMs: number | null };
type Server = {
  fullS: number | null;
  archivedS: number | null;
  archiveFailures: number;
  connections: number;
  connectionsMax: number;
  walKeptBytes: number | null;
};

/** One look at the tables serves all metrics of a scrape. */
const FRESH_MS = 2_000;
/** Events that are checked per scrape. The others are checked after their next sale. */
const CHECKED_AT_ONCE = 10;
const TOUCHED_MAX = 1_000;

/**
 * End of the newest backup, WAL archiving, and what fills the server, as it reports them. WAL is
 * kept until it is archived (the name of a file says where it starts: 16 MB each) and until all
 * replication slots have read it. A standby writes none.
 */
const SERVER = `
  SELECT (SELECT extract(epoch FROM max(ended_at)) FROM backup_run)::float8 AS "fullS",
    extract(epoch FROM last_archived_time)::float8 AS "archivedS",
    failed_count::float8 AS "archiveFailures",
    (SELECT sum(numbackends) FROM pg_stat_database)::float8 AS connections,
    (current_setting('max_connections')::float8
      - current_setting('superuser_reserved_connections')::float8) AS "connectionsMax",
    CASE WHEN NOT pg_is_in_recovery() THEN greatest(0,
      CASE WHEN last_archived_wal ~ '^[0-9A-F]{24}' THEN pg_wal_lsn_diff(pg_current_wal_lsn(),
        (substr(last_archived_wal, 9, 8) || '/' || substr(last_archived_wal, 23, 2) || '000000')
          ::pg_lsn) END,
      (SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) FROM pg_replication_slots)
    ) END::float8 AS "walKeptBytes"
  FROM pg_stat_archiver`;

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
  const backlog = shareReading(
    async () => (await database.query<Backlog>({ text: BACKLOG }))[0],
    FRESH_MS,
  );
  const server = shareReading(
    async () => (await database.query<Server>({ text: SERVER }))[0],
    FRESH_MS,
  );
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
    async () => (await server())?.fullS,
  );
  number(
    "boxoffice_wal_archived_timestamp_seconds",
    "When the server last archived a WAL file.",
    async () => (await server())?.archivedS,
  );
  number(
    "boxoffice_wal_archive_failures_total",
    "Failed tries to archive a WAL file.",
    async () => (await server())?.archiveFailures,
  );
  number(
    "boxoffice_postgres_connections",
    "Connections to the server, of all programs.",
    async () => (await server())?.connections,
  );
  number(
    "boxoffice_postgres_connections_max",
    "Connections that the server grants to roles that are no superuser.",
    async () => (await server())?.connectionsMax,
  );
  number(
    "boxoffice_postgres_wal_kept_bytes",
    "WAL that is kept because it is not archived, or a replication slot has not read it.",
    async () => (await server())?.walKeptBytes,
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
  const check = shareReading(async (): Promise<readonly Sample[]> => {
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
  }, FRESH_MS);
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
