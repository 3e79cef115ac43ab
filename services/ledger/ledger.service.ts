import type { Context, ServiceSchema } from "moleculer";
import { accepted, type Answer, refused } from "../../domain/refusal.ts";
import type { Database } from "../../mixins/database.ts";
import { type Consumer, openConsumer, openPublisher, type Publisher, type Topology, topologyOf } from "../../mixins/queue.ts";
import type { RedisClient } from "../../mixins/redis.ts";
import { reconcile, type Reconciliation } from "./reconcile.ts";
import { BACKLOG } from "./reconcile-statements.ts";
import { startSweeper, type Sweeper } from "./sweeper.ts";
import { createTransactionHandler, type LedgerCounts } from "./transaction-handler.ts";

export type LedgerDependencies = {
  /** Of the profile "long". Closed by whoever opened it. */
  database: Database;
  redis: RedisClient;
  amqpUrl: string;
  topology?: Topology;
  sweepEveryMs?: number;
  sweepOlderThanMs?: number;
  /** Aborted when the node begins to stop: other ledgers get what is in the queue. */
  leaving?: AbortSignal;
};

export type LedgerStatus = {
  pendingRows: number;
  /** How far the ledger is behind: the age of the oldest pending row, 0 when nothing waits. */
  lagMs: number;
  failedRows: number;
  /** Since this node started. */
  appliedRows: number;
  outages: number;
  paused: boolean;
  /** Undefined members: RabbitMQ is away. */
  queue: { ready?: number; dead?: number; consumers?: number };
};

type ReconcileParams = { eventId?: string; mend?: boolean };
type Backlog = { pendingRows: number; failedRows: number; oldestPendingMs: number | null };

/**
 * The ledger: the only writer of `event.capacity` and `capacity_ledger`. It books what the workers have committed, a moment later, exactly once,
 * whatever the queue does.
 */
export function createLedgerService(dependencies: LedgerDependencies): ServiceSchema {
  const { database, redis, amqpUrl, topology = topologyOf() } = dependencies;
  const counts: LedgerCounts = { appliedRows: 0, failedRows: 0, outages: 0 };
  let consumer: Consumer | undefined;
  let publisher: Publisher | undefined;
  let sweeper: Sweeper | undefined;

  return {
    name: "ledger",

    actions: {
      /** Compares what must agree and says each difference. Can refuse with: EVENT_NOT_FOUND. */
      reconcile: {
        auth: "operator",
        timeout: 65_000,
        params: { $$strict: true, eventId: { type: "uuid", optional: true }, mend: { type: "boolean", optional: true } },
        async handler(ctx: Context<ReconcileParams>): Promise<Answer<Reconciliation>> {
          const { eventId, mend = true } = ctx.params;
          const result = await reconcile(database, redis, { eventId: eventId?.toLowerCase(), mend });
          return result === undefined ? refused("EVENT_NOT_FOUND") : accepted(result);
        },
      },

      /** How far booking is behind selling. */
      status: {
        auth: "operator",
        params: { $$strict: true },
        async handler(): Promise<Answer<LedgerStatus>> {
          const [backlog] = await database.query<Backlog>({ text: BACKLOG });
          return accepted({
            pendingRows: backlog?.pendingRows ?? 0,
            lagMs: Math.max(0, Math.round(backlog?.oldestPendingMs ?? 0)),
            failedRows: backlog?.failedRows ?? 0,
            appliedRows: counts.appliedRows,
            outages: counts.outages,
            paused: consumer?.paused() ?? true,
            queue: (await consumer?.inspect()) ?? {},
          });
        },
      },
    },

    async started() {
      const log = this.logger;
      publisher = await openPublisher({ url: amqpUrl, log, topology });
      consumer = await openConsumer({ url: amqpUrl, log, topology, handler: createTransactionHandler({ database, redis, log, counts }) });
      dependencies.leaving?.addEventListener("abort", () => consumer?.leave());
      sweeper = startSweeper({
        database,
        publisher,
        log,
        ...(dependencies.sweepEveryMs === undefined ? {} : { everyMs: dependencies.sweepEveryMs }),
        ...(dependencies.sweepOlderThanMs === undefined ? {} : { olderThanMs: dependencies.sweepOlderThanMs }),
      });
    },

    async stopped() {
      await sweeper?.stop();
      await Promise.all([consumer?.close(), publisher?.close()]);
    },
  };
}
