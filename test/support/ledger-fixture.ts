import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { type Channel, type ChannelModel, connect } from "amqplib";
import { ServiceBroker } from "moleculer";
import { processEnvironment, readConfig } from "../../config/index.ts";
import type { Answer } from "../../domain/refusal.ts";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import { openNodeContext } from "../../lib/bus/node-context.ts";
import { type Topology, topologyOf } from "../../lib/queue/index.ts";
import { declareTopology } from "../../lib/queue/topology.ts";
import { openRedis, type RedisClient, whenReady } from "../../lib/redis/client.ts";
import LedgerService, { type LedgerStatus } from "../../services/ledger/ledger.service.ts";
import type { Reconciliation } from "../../services/ledger/reconcile/reconcile.ts";
import { freshDatabase } from "./database.ts";

export type Sale = { transactionId: string; quantity: number };

export type LedgerWorld = {
  databaseUrl: string;
  amqpUrl: string;
  database: Database;
  redis: RedisClient;
  channel: Channel;
  topology: Topology;
  /** Adds an event with this many places, all available. */
  addEvent(total: number): Promise<string>;
  /** Commits one batch of sales of these quantities like the worker, without a message. */
  sell(eventId: string, quantities: number[], options?: { ageMs?: number }): Promise<Sale[]>;
  /** Cancels one ticket of a sale like the worker, without a message. */
  cancelOne(eventId: string, sale: Sale): Promise<string>;
  /** Publishes the worker's message. */
  tell(eventId: string, transactionIds: string[]): void;
  numbers(eventId: string): Promise<{
    capacity: number;
    pending: number;
    failed: number;
    booked: number;
    bookedRows: number;
  }>;
  /** A node that runs the ledger only. */
  startLedger(options?: {
    databaseUrl?: string;
    amqpUrl?: string;
    sweep?: { everyMs: number; olderThanMs: number };
  }): Promise<Ledger>;
  close(): Promise<void>;
};

export type Ledger = {
  status(): Promise<LedgerStatus>;
  reconcile(params?: { eventId?: string; mend?: boolean }): Promise<Answer<Reconciliation>>;
  /** Calls an action as an operator. */
  ask<T>(action: string, params?: object): Promise<Answer<T>>;
  stop(): Promise<void>;
};

/**
 * Opens a database, a queue and a Redis connection for one test file, and the means to do what
 * workers do. `redisDatabase`: a Redis database of its own, for files that read all of it.
 */
export async function openLedgerWorld(deliveryLimit = 3, redisDatabase = 0): Promise<LedgerWorld> {
  const environment = processEnvironment();
  const amqpUrl = environment.AMQP_URL ?? assert.fail("AMQP_URL names no RabbitMQ");
  const redisUrl = environment.REDIS_URL ?? assert.fail("REDIS_URL names no Redis");
  const fresh = await freshDatabase();
  // Not the ledger's profile, so that a test can kill the ledger's connections and keep this one.
  const database = openDatabase(fresh.url, "sale");
  const ownRedisUrl = new URL(String(redisDatabase), redisUrl).href;
  const redis = openRedis(ownRedisUrl, () => undefined);
  assert.ok(await whenReady(redis, 2_000), "Redis answers");
  const topology = topologyOf(`test-${randomUUID()}`, deliveryLimit);
  const model: ChannelModel = await connect(amqpUrl);
  const channel = await model.createChannel();
  await declareTopology(channel, topology);
  const ledgers = new Set<Ledger>();

  const world: LedgerWorld = {
    databaseUrl: fresh.url,
    amqpUrl,
    database,
    redis,
    channel,
    topology,

    async addEvent(total) {
      const id = randomUUID();
      await database.query({
        text: `
          INSERT INTO event (id, name, name_key, type, type_key, location, location_key,
            date, start_time, end_time, duration, time_zone,
            starts_at, ends_at, total_capacity, capacity, source, source_id)
          VALUES ($1::uuid, 'Concert', 'concert', 'concert', 'concert', 'Berlin', 'berlin',
            '2099-01-01', '20:00', '22:00', 120, 'Europe/Berlin',
            '2099-01-01 19:00Z', '2099-01-01 21:00Z', $2, $2, 'test', ($1::uuid)::text)`,
        values: [id, total],
      });
      await database.query({
        text: "INSERT INTO event_worker (event_id, epoch, batch, node) VALUES ($1, 1, 0, 'test')",
        values: [id],
      });
      return id;
    },

    async sell(eventId, quantities, options = {}) {
      const sales = quantities.map((quantity) => ({
        transactionId: sha512(randomUUID()),
        quantity,
        userId: randomUUID(),
      }));
      await database.query({
        text: `
          WITH worker AS (
            UPDATE event_worker SET batch = batch + 1 WHERE event_id = $1 RETURNING epoch, batch
          ), sale AS (
            SELECT decode(id, 'hex') AS id, quantity, user_id
            FROM unnest($2::text[], $3::integer[], $4::uuid[]) AS sale (id, quantity, user_id)
          ), sold AS (
            INSERT INTO event_tickets
              (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at)
            SELECT gen_random_uuid(), $1, user_id, '2099-01-01', id, ordinal, now()
            FROM sale, generate_series(1, quantity) AS ordinal
          )
          INSERT INTO event_ticket_transactions
            (transaction_id, event_id, user_id, event_date, quantity, epoch, batch, created_at)
          SELECT id, $1, user_id, '2099-01-01', -quantity, epoch, batch,
            now() - make_interval(secs => $5)
          FROM sale, worker`,
        values: [
          eventId,
          sales.map(({ transactionId }) => transactionId),
          quantities,
          sales.map(({ userId }) => userId),
          (options.ageMs ?? 0) / 1_000,
        ],
      });
      return sales.map(({ transactionId, quantity }) => ({ transactionId, quantity }));
    },

    async cancelOne(eventId, { transactionId }) {
      const cancellation = sha512(`cancel ${randomUUID()}`);
      await database.query({
        text: `
          WITH worker AS (
            UPDATE event_worker SET batch = batch + 1 WHERE event_id = $1 RETURNING epoch, batch
          ), cancelled AS (
            UPDATE event_tickets SET cancelled_at = now() WHERE id = (
              SELECT id FROM event_tickets
              WHERE transaction_id = decode($2, 'hex') AND cancelled_at IS NULL LIMIT 1
            ) RETURNING user_id
          )
          INSERT INTO event_ticket_transactions
            (transaction_id, event_id, user_id, event_date, quantity, epoch, batch, created_at)
          SELECT decode($3, 'hex'), $1, user_id, '2099-01-01', 1, epoch, batch, now()
          FROM cancelled, worker`,
        values: [eventId, transactionId, cancellation],
      });
      return cancellation;
    },

    tell(eventId, transactionIds) {
      channel.sendToQueue(
        topology.queue,
        Buffer.from(JSON.stringify({ eventId, transactionIds })),
        { persistent: true },
      );
    },

    async numbers(eventId) {
      const [row] = await database.query<Awaited<ReturnType<LedgerWorld["numbers"]>>>({
        text: `
          SELECT capacity,
            (SELECT count(*)::integer FROM event_ticket_transactions
              WHERE event_id = $1 AND status = 'pending') AS pending,
            (SELECT count(*)::integer FROM event_ticket_transactions
              WHERE event_id = $1 AND status = 'failed') AS failed,
            (SELECT coalesce(sum(quantity), 0)::integer FROM capacity_ledger
              WHERE event_id = $1) AS booked,
            (SELECT count(*)::integer FROM capacity_ledger WHERE event_id = $1) AS "bookedRows"
          FROM event WHERE id = $1`,
        values: [eventId],
      });
      return row ?? assert.fail(`no event ${eventId}`);
    },

    async startLedger(options = {}) {
      const broker = new ServiceBroker({ nodeID: `ledger-${randomUUID()}`, logger: false });
      const config = readConfig({
        ...environment,
        DATABASE_URL: options.databaseUrl ?? fresh.url,
        REDIS_URL: ownRedisUrl,
        AMQP_URL: options.amqpUrl ?? amqpUrl,
        METRICS_PORT: "",
      });
      openNodeContext(broker, config);
      broker.createService({
        ...LedgerService,
        settings: {
          queue: { name: topology.queue, deliveryLimit },
          // By default the sweeper does not run during a test.
          sweepEveryMs: options.sweep?.everyMs ?? 3_600_000,
          sweepOlderThanMs: options.sweep?.olderThanMs ?? 5_000,
        },
      });
      await broker.start();
      const ledger: Ledger = {
        async status() {
          const answer = await broker.call<Answer<LedgerStatus>>("ledger.status");
          return answer.ok ? answer.value : assert.fail("status never refuses");
        },
        reconcile: (params = {}) =>
          broker.call<Answer<Reconciliation>, typeof params>("ledger.reconcile", params),
        ask: (action, params = {}) => broker.call(`ledger.${action}`, params),
        async stop() {
          if (!ledgers.delete(ledger)) return;
          await broker.stop();
        },
      };
      ledgers.add(ledger);
      return ledger;
    },

    async close() {
      for (const ledger of [...ledgers]) await ledger.stop();
      await channel.deleteQueue(topology.queue);
      await channel.deleteQueue(topology.deadQueue);
      await model.close();
      redis.disconnect();
      await database.close();
      await fresh.drop();
    },
  };
  return world;
}

function sha512(text: string): string {
  return createHash("sha512").update(text).digest("hex");
}
