import type { AlertCase } from "./rules.ts";

const QUEUE = 'queue="ticket-transactions"';
const PURCHASES = 'route="/api/events/{eventId}/tickets",method="POST"';
const orders = (status: string): string =>
  `boxoffice_http_requests_total{${PURCHASES},status="${status}"}`;
/** Purchases a minute, and how many of them fail. */
const failing = (minutes: number, all: number, failed: number): Record<string, string> => ({
  [orders("201")]: `0+${all - failed}x${minutes}`,
  [orders("503")]: `0+${failed}x${minutes}`,
});
const constant = (value: number, minutes = 60): string => `${value}x${minutes}`;
/** Zero for five minutes, then a jump. */
const jump = "0x5 3x60";

/** One case for each alert: a test compares the lists. */
export const ALERT_CASES: AlertCase[] = [
  {
    alert: "QueueGrowing",
    atMinutes: 40,
    series: { [`rabbitmq_detailed_queue_messages{${QUEUE}}`]: "0+50x60" },
    labels: { queue: "ticket-transactions" },
    quiet: { [`rabbitmq_detailed_queue_messages{${QUEUE}}`]: constant(50) },
  },
  {
    alert: "QueueWithoutConsumer",
    atMinutes: 5,
    series: { [`rabbitmq_detailed_queue_consumers{${QUEUE}}`]: constant(0) },
    labels: { queue: "ticket-transactions" },
    quiet: { [`rabbitmq_detailed_queue_consumers{${QUEUE}}`]: constant(2) },
  },
  {
    alert: "DeadLetters",
    atMinutes: 5,
    series: { 'rabbitmq_detailed_queue_messages{queue="ticket-transactions.dead"}': constant(1) },
    labels: { queue: "ticket-transactions.dead" },
    quiet: { 'rabbitmq_detailed_queue_messages{queue="ticket-transactions.dead"}': constant(0) },
  },
  {
    alert: "RabbitmqAlarm",
    atMinutes: 5,
    series: { rabbitmq_alarms_memory_used_watermark: constant(1) },
    quiet: {
      rabbitmq_alarms_memory_used_watermark: constant(0),
      rabbitmq_alarms_free_disk_space_watermark: constant(0),
    },
  },
  {
    alert: "OutboxOld",
    atMinutes: 5,
    series: { boxoffice_ledger_lag_seconds: constant(90) },
    quiet: { boxoffice_ledger_lag_seconds: constant(20) },
  },
  {
    alert: "SalesPutAside",
    atMinutes: 5,
    series: { boxoffice_ledger_failed_rows: constant(1) },
    quiet: { boxoffice_ledger_failed_rows: constant(0) },
  },
  {
    alert: "Oversold",
    atMinutes: 8,
    series: { boxoffice_oversold_events_total: jump },
    quiet: { boxoffice_oversold_events_total: constant(0) },
  },
  {
    alert: "OversellPrevented",
    atMinutes: 8,
    series: { boxoffice_oversell_prevented_total: jump },
    quiet: { boxoffice_oversell_prevented_total: constant(0) },
  },
  {
    alert: "TruthDiverging",
    atMinutes: 8,
    series: { boxoffice_diverging_events_total: jump },
    quiet: { boxoffice_diverging_events_total: constant(0) },
  },
  {
    alert: "OrdersFailFast",
    atMinutes: 90,
    series: failing(100, 1_000, 20),
    quiet: failing(100, 1_000, 10),
  },
  {
    alert: "OrdersFailSlowly",
    atMinutes: 400,
    series: failing(420, 1_000, 8),
    quiet: failing(420, 1_000, 5),
  },
  {
    alert: "OrdersFailSteadily",
    atMinutes: 600,
    series: failing(620, 10_000, 20),
    quiet: failing(620, 10_000, 9),
  },
  {
    alert: "BackupTooOld",
    atMinutes: 27 * 60,
    series: { boxoffice_backup_last_success_timestamp_seconds: constant(1, 1_700) },
    quiet: { boxoffice_backup_last_success_timestamp_seconds: "1x100 50000x1600" },
  },
  {
    alert: "NoBackup",
    atMinutes: 27 * 60,
    series: { up: constant(1, 1_700) },
    quiet: { boxoffice_backup_last_success_timestamp_seconds: constant(1, 1_700) },
  },
  {
    alert: "WalNotArchived",
    atMinutes: 20,
    series: { boxoffice_wal_archive_failures_total: "0+1x60" },
    quiet: { boxoffice_wal_archive_failures_total: constant(7) },
  },
  {
    alert: "NodeAway",
    atMinutes: 5,
    series: { 'up{job="boxoffice",instance="a"}': constant(0) },
    labels: { job: "boxoffice", instance: "a" },
    quiet: { 'up{job="boxoffice",instance="a"}': constant(1) },
  },
  {
    alert: "RedisAway",
    atMinutes: 5,
    series: { 'boxoffice_connected{server="redis"}': constant(0) },
    quiet: { 'boxoffice_connected{server="redis"}': constant(1) },
  },
  {
    alert: "WorkersDegraded",
    atMinutes: 10,
    series: { boxoffice_workers_degraded: constant(3) },
    quiet: { boxoffice_workers_degraded: constant(0) },
  },
  {
    alert: "EpochsFlapping",
    atMinutes: 20,
    series: { 'boxoffice_worker_events_total{event="epoch-lost"}': "0+60x60" },
    quiet: { 'boxoffice_worker_events_total{event="epoch-lost"}': "0+6x60" },
  },
  {
    alert: "CommitsInDoubt",
    atMinutes: 20,
    series: { 'boxoffice_worker_events_total{event="commit-unknown"}': "0+30x60" },
    quiet: { 'boxoffice_worker_events_total{event="commit-unknown"}': constant(9) },
  },
  {
    alert: "MailboxFull",
    atMinutes: 8,
    series: { boxoffice_mailbox_full_total: jump },
    quiet: { boxoffice_mailbox_full_total: constant(9) },
  },
  {
    alert: "PurchasesSlow",
    atMinutes: 20,
    series: {
      'boxoffice_purchase_duration_seconds_bucket{le="1"}': "0+90x60",
      'boxoffice_purchase_duration_seconds_bucket{le="2.5"}': "0+100x60",
      'boxoffice_purchase_duration_seconds_bucket{le="+Inf"}': "0+100x60",
    },
    quiet: {
      'boxoffice_purchase_duration_seconds_bucket{le="1"}': "0+100x60",
      'boxoffice_purchase_duration_seconds_bucket{le="+Inf"}': "0+100x60",
    },
  },
  {
    alert: "SearchesStale",
    atMinutes: 20,
    series: { 'boxoffice_gateway_answers_total{layer="stale"}': "0+5x60" },
    quiet: {
      'boxoffice_gateway_answers_total{layer="stale"}': constant(9),
      'boxoffice_gateway_answers_total{layer="kept"}': "0+5x60",
    },
  },
  {
    alert: "EventLoopBusy",
    atMinutes: 10,
    series: { 'nodejs_eventloop_lag_p99_seconds{job="boxoffice",instance="a"}': constant(0.5) },
    labels: { instance: "a" },
    quiet: { 'nodejs_eventloop_lag_p99_seconds{job="boxoffice",instance="a"}': constant(0.02) },
  },
  {
    alert: "FaultsThrown",
    atMinutes: 8,
    series: { 'boxoffice_faults_total{place="timer"}': jump },
    labels: { place: "timer" },
    quiet: { 'boxoffice_faults_total{place="timer"}': constant(3) },
  },
  {
    alert: "NodeRestarted",
    atMinutes: 10,
    series: { 'process_start_time_seconds{job="boxoffice",instance="a"}': "100x5 400x60" },
    labels: { job: "boxoffice", instance: "a" },
    quiet: { 'process_start_time_seconds{job="boxoffice",instance="a"}': constant(100) },
  },
  {
    alert: "PoolExhausted",
    atMinutes: 10,
    series: { 'boxoffice_pool_connections{pool="sale",state="waiting"}': constant(4) },
    labels: { pool: "sale" },
    quiet: { 'boxoffice_pool_connections{pool="sale",state="waiting"}': constant(0) },
  },
];
