import type { AlertCase } from "../rules.ts";
import { constant, onSeries } from "./figures.ts";

const QUEUE = 'queue="ticket-transactions",instance="r"';
const connected = (server: string, instance: string): string =>
  `boxoffice_connected{server="${server}",instance="${instance}"}`;

/** Down: no node reaches it. Quiet: one node of two does. */
const down = (alert: string, server: string): AlertCase => ({
  alert,
  atMinutes: 2,
  labels: { server },
  series: { [connected(server, "a")]: constant(0), [connected(server, "b")]: constant(0) },
  quiet: { [connected(server, "a")]: constant(0), [connected(server, "b")]: constant(1) },
});
const refuses = (alert: string, reason: string): AlertCase =>
  onSeries(
    alert,
    2,
    `boxoffice_postgres_refuses_writes{reason="${reason}",instance="a"}`,
    [constant(1), constant(0)],
    { reason },
  );

export const SERVER_CASES: AlertCase[] = [
  down("PostgresDown", "postgres"),
  refuses("PostgresReadOnly", "read-only"),
  refuses("PostgresDiskFull", "disk-full"),
  onSeries(
    "PostgresDamaged",
    3,
    'boxoffice_postgres_damage_total{instance="a"}',
    ["0+1x60", constant(7)],
    {},
  ),
  onSeries(
    "PostgresSlow",
    10,
    'boxoffice_postgres_timeouts_total{instance="a"}',
    ["0+30x60", constant(9)],
    {},
  ),
  {
    alert: "PostgresConnectionsHigh",
    atMinutes: 5,
    labels: { instance: "a" },
    series: {
      'boxoffice_postgres_connections{instance="a"}': constant(380),
      'boxoffice_postgres_connections_max{instance="a"}': constant(397),
    },
    quiet: {
      'boxoffice_postgres_connections{instance="a"}': constant(300),
      'boxoffice_postgres_connections_max{instance="a"}': constant(397),
    },
  },
  onSeries("PostgresWalGrows", 5, 'boxoffice_postgres_wal_kept_bytes{instance="a"}', [
    constant(9 * 2 ** 30),
    constant(7 * 2 ** 30),
  ]),
  down("RedisDown", "redis"),
  onSeries(
    "RedisMemoryFull",
    5,
    'boxoffice_refuses_writes{target="cache",reason="memory-full",instance="a"}',
    [constant(1), constant(0)],
    { reason: "memory-full" },
  ),
  down("NatsDown", "nats"),
  down("RabbitmqDown", "rabbitmq"),
  {
    alert: "RabbitmqAlarm",
    atMinutes: 5,
    labels: { instance: "r" },
    series: { 'rabbitmq_alarms_memory_used_watermark{instance="r"}': constant(1) },
    quiet: {
      'rabbitmq_alarms_memory_used_watermark{instance="r"}': constant(0),
      'rabbitmq_alarms_free_disk_space_watermark{instance="r"}': constant(0),
    },
  },
  onSeries(
    "RabbitmqBlocked",
    10,
    'boxoffice_refuses_writes{target="queue",reason="blocked",instance="a"}',
    [constant(1), constant(0)],
    { reason: "blocked" },
  ),
  onSeries("QueueGrowing", 40, `rabbitmq_detailed_queue_messages{${QUEUE}}`, [
    "0+50x60",
    constant(50),
  ]),
  onSeries("QueueWithoutConsumer", 5, `rabbitmq_detailed_queue_consumers{${QUEUE}}`, [
    constant(0),
    constant(2),
  ]),
  onSeries(
    "DeadLetters",
    5,
    'rabbitmq_detailed_queue_messages{queue="ticket-transactions.dead",instance="r"}',
    [constant(1), constant(0)],
  ),
];
