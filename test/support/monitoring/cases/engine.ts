import type { AlertCase } from "../rules.ts";
import { constant, type Figures, JUMP, onSeries } from "./figures.ts";

const JOBS = ["boxoffice", "rabbitmq", "rabbitmq-node"];
const SERVICES = ["api", "auth", "catalog", "purchasing", "ledger"];
const NODE = 'job="boxoffice",instance="a"';
const BACKUP = 'boxoffice_backup_last_success_timestamp_seconds{instance="a"}';
const BARMAN = 'barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{instance="a"}';

const all = (metric: string, label: string, values: readonly string[]): Figures =>
  Object.fromEntries(values.map((value) => [`${metric}{${label}="${value}"}`, constant(1)]));
/** A counter of something that must not happen. */
const never = (alert: string, metric: string): AlertCase =>
  onSeries(alert, 8, `${metric}{instance="a"}`, [JUMP, constant(3)]);

export const ENGINE_CASES: AlertCase[] = [
  {
    alert: "TargetsMissing",
    atMinutes: 5,
    labels: { job: "rabbitmq-node" },
    series: all("up", "job", ["boxoffice", "rabbitmq"]),
    quiet: all("up", "job", JOBS),
  },
  {
    alert: "TargetsMissing",
    atMinutes: 5,
    labels: { job: "rabbitmq" },
    series: { ...all("up", "job", JOBS), 'up{job="rabbitmq"}': constant(0) },
    quiet: all("up", "job", JOBS),
  },
  {
    alert: "ServiceMissing",
    atMinutes: 5,
    labels: { service: "ledger" },
    series: all("boxoffice_node_info", "service", SERVICES.slice(0, 4)),
    quiet: all("boxoffice_node_info", "service", SERVICES),
  },
  onSeries("NodeDown", 5, `up{${NODE}}`, [constant(0), constant(1)]),
  onSeries("NodeCrashLoops", 12, `process_start_time_seconds{${NODE}}`, [
    "100x2 200x2 300x2 400x60",
    "100x2 200x2 300x60",
  ]),
  onSeries("NodeRestarted", 10, `process_start_time_seconds{${NODE}}`, [
    "100x5 400x60",
    constant(100),
  ]),
  {
    alert: "NodeDisconnected",
    atMinutes: 5,
    labels: { instance: "a", server: "redis" },
    series: {
      'boxoffice_connected{server="redis",instance="a"}': constant(0),
      'boxoffice_connected{server="redis",instance="b"}': constant(1),
    },
    // Then it is RedisDown.
    quiet: {
      'boxoffice_connected{server="redis",instance="a"}': constant(0),
      'boxoffice_connected{server="redis",instance="b"}': constant(0),
    },
  },
  onSeries("FaultsThrown", 8, 'boxoffice_faults_total{instance="a",place="timer"}', [
    JUMP,
    constant(3),
  ]),
  onSeries(
    "NodeDiskFull",
    5,
    'boxoffice_refuses_writes{target="audit",reason="disk-full",instance="a"}',
    [constant(1), constant(0)],
    { instance: "a", target: "audit" },
  ),
  onSeries(
    "EventLoopBusy",
    10,
    `nodejs_eventloop_lag_p99_seconds{${NODE}}`,
    [constant(0.5), constant(0.02)],
    { instance: "a" },
  ),
  onSeries(
    "PoolExhausted",
    10,
    'boxoffice_pool_connections{instance="a",pool="sale",state="waiting"}',
    [constant(4), constant(0)],
    { instance: "a", pool: "sale" },
  ),
  onSeries(
    "CertificateExpires",
    20,
    'boxoffice_certificate_expiry_timestamp_seconds{instance="a"}',
    [constant(20 * 86_400), constant(22 * 86_400)],
  ),
  never("Oversold", "boxoffice_oversold_events_total"),
  never("OversellPrevented", "boxoffice_oversell_prevented_total"),
  never("TruthDiverging", "boxoffice_diverging_events_total"),
  onSeries("OutboxOld", 5, 'boxoffice_ledger_lag_seconds{instance="a"}', [
    constant(90),
    constant(20),
  ]),
  onSeries("MailDelayed", 15, 'boxoffice_mail_lag_seconds{instance="a"}', [
    constant(900),
    constant(20),
  ]),
  onSeries("SalesPutAside", 5, 'boxoffice_ledger_failed_rows{instance="a"}', [
    constant(1),
    constant(0),
  ]),
  never("MailboxFull", "boxoffice_mailbox_full_total"),
  onSeries("WorkersDegraded", 10, 'boxoffice_workers_degraded{instance="a"}', [
    constant(3),
    constant(0),
  ]),
  onSeries(
    "EpochsFlapping",
    20,
    'boxoffice_worker_events_total{instance="a",event="epoch-lost"}',
    ["0+60x60", "0+6x60"],
    { instance: "a" },
  ),
  onSeries(
    "CommitsInDoubt",
    20,
    'boxoffice_worker_events_total{instance="a",event="commit-unknown"}',
    ["0+30x60", constant(9)],
    { instance: "a" },
  ),
  // The clock of promtool begins at 0.
  onSeries("BackupTooOld", 20, BACKUP, [constant(-27 * 3_600), constant(-25 * 3_600)]),
  onSeries("BackupTooOld", 27 * 60, BARMAN, [constant(1, 1_700), constant(3_600 * 20, 1_700)]),
  {
    alert: "NoBackup",
    atMinutes: 27 * 60,
    series: { up: constant(1, 1_700) },
    quiet: { [BACKUP]: constant(1, 1_700) },
  },
  {
    alert: "NoBackup",
    atMinutes: 27 * 60,
    // The plugin's value before the first backup.
    series: { [BARMAN]: constant(0, 1_700) },
    quiet: { [BARMAN]: constant(1, 1_700) },
  },
  onSeries("WalNotArchived", 20, 'boxoffice_wal_archive_failures_total{instance="a"}', [
    "0+1x60",
    constant(7),
  ]),
];
