import type { Context, ServiceSchema } from "moleculer";
import { accepted, type Answer, refused } from "../../domain/refusal.ts";
import type { Database } from "../../lib/database/pool.ts";
import type { Metrics } from "../../lib/observability/metrics.ts";
import type { DeadLetter } from "../../lib/queue/dead-letters.ts";
import {
  type Consumer,
  openConsumer,
  openPublisher,
  type Publisher,
  type Topology,
  topologyOf,
} from "../../lib/queue/index.ts";
import type { RedisClient } from "../../lib/redis/client.ts";
import type { Tracing } from "../../lib/observability/tracing.ts";
import { isUnavailable } from "../../lib/database/transient-errors.ts";
import { registerLedgerMetrics } from "./ledger-metrics.ts";
import { reconcile, type Reconciliation } from "./reconcile/reconcile.ts";
import { BACKLOG } from "./reconcile/reconcile.sql.ts";
import {
  discardDeadLetter,
  listDeadLetters,
  replayDeadLetters,
  type Replayed,
  type Retried,
  retryFailed,
} from "./repair/repair.ts";
import { startSweeper, type Sweeper } from "./booking/outbox-sweeper.ts";
import { tracedHandler } from "./booking/consumer-tracing.ts";
import { createTransactionHandler, type LedgerCounts } from "./booking/transaction-consumer.ts";

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
  /** Undefined where nobody looks. */
  metrics?: Metrics | undefined;
  /** Undefined where nothing is traced. */
  tracing?: Tracing | undefined;
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
type ReplayParams = { id?: string; limit?: number };
type Backlog = { pendingRows: number; failedRows: number; oldestPendingMs: number | null };

const LIMIT = { type: "number", integer: true, positive: true, max: 1_000, optional: true };
const LETTER_ID = { type: "string", pattern: "^[0-9a-f]{16}$" };

/** The answer, or TRY_AGAIN: RabbitMQ is away (undefined) or PostgreSQL is. Whatever was done until then may be done again. */
async function whereServersAnswer<T>(work: () => Promise<T | undefined>): Promise<Answer<T>> {
  try {
    const value = await work();
    return value === undefined ? refused("TRY_AGAIN") : accepted(value);
  } catch (error) {
    if (isUnavailable(error)) return refused("TRY_AGAIN");
    throw error;
  }
}

/**
 * The ledger: the only writer of `event.capacity` and `capacity_ledger`. It books what the workers have committed, a moment later, exactly once,
 * whatever the queue does.
 */
export function createLedgerService(dependencies: LedgerDependencies): ServiceSchema {
  const { database, redis, amqpUrl, topology = topologyOf() } = dependencies;
  const counts: LedgerCounts = { appliedRows: 0, failedRows: 0, outages: 0 };
  const messenger = { url: amqpUrl, topology };
  const handled = new Set<string>();
  let consumer: Consumer | undefined;
  let publisher: Publisher | undefined;
  let sweeper: Sweeper | undefined;
  const watched = { database, counts, consumer: () => consumer, publisher: () => publisher };
  const watch = dependencies.metrics && registerLedgerMetrics(dependencies.metrics, watched);

  return {
    name: "ledger",

    actions: {
      /** Compares what must agree and says each difference. Can refuse with: EVENT_NOT_FOUND. */
      reconcile: {
        auth: "operator",
        timeout: 65_000,
        params: {
          $$strict: true,
          eventId: { type: "uuid", optional: true },
          mend: { type: "boolean", optional: true },
        },
        async handler(ctx: Context<ReconcileParams>): Promise<Answer<Reconciliation>> {
          const { eventId, mend = true } = ctx.params;
          const result = await reconcile(database, redis, {
            eventId: eventId?.toLowerCase(),
            mend,
          });
          return result === undefined ? refused("EVENT_NOT_FOUND") : accepted(result);
        },
      },

      /** How far booking is behind selling. */
      status: {
        auth: "operator",
        unaudited: true,
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

      /** The oldest dead letters, none of which is lost by looking. Can refuse with: TRY_AGAIN. */
      deadLetters: {
        auth: "operator",
        timeout: 30_000,
        params: { $$strict: true, limit: LIMIT },
        async handler(
          ctx: Context<{ limit?: number }>,
        ): Promise<Answer<{ waiting: number; letters: DeadLetter[] }>> {
          return whereServersAnswer(() => listDeadLetters(messenger, ctx.params.limit ?? 20));
        },
      },

      /** Moves dead letters back into the queue, all of them or those of one id; it may move one twice, and loses none. Can refuse with: TRY_AGAIN. */
      replay: {
        auth: "operator",
        timeout: 65_000,
        params: { $$strict: true, id: { ...LETTER_ID, optional: true }, limit: LIMIT },
        async handler(ctx: Context<ReplayParams>): Promise<Answer<Replayed>> {
          return whereServersAnswer(() =>
            replayDeadLetters(messenger, database, { limit: 1_000, ...ctx.params }),
          );
        },
      },

      /** Throws a dead letter away for good, if it cannot be read. Can refuse with: TRY_AGAIN. */
      discard: {
        auth: "operator",
        timeout: 30_000,
        params: { $$strict: true, id: LETTER_ID },
        async handler(
          ctx: Context<{ id: string }>,
        ): Promise<Answer<{ discarded: number; readable: number }>> {
          return whereServersAnswer(() => discardDeadLetter(messenger, ctx.params.id));
        },
      },

      /** Books an event's failed rows after an operator has mended it: all or none. Can refuse with: EVENT_NOT_FOUND, TRY_AGAIN. */
      retryFailed: {
        auth: "operator",
        timeout: 65_000,
        params: { $$strict: true, eventId: { type: "uuid" } },
        async handler(ctx: Context<{ eventId: string }>): Promise<Answer<Retried>> {
          const answer = await whereServersAnswer(
            async () => (await retryFailed(database, ctx.params.eventId.toLowerCase())) ?? null,
          );
          return answer.ok && answer.value === null
            ? refused("EVENT_NOT_FOUND")
            : (answer as Answer<Retried>);
        },
      },
    },

    async started() {
      const log = this.logger;
      publisher = await openPublisher({ url: amqpUrl, log, topology });
      const handler = createTransactionHandler({
        database,
        log,
        counts,
        handled,
        touched: watch?.touched,
      });
      consumer = await openConsumer({
        url: amqpUrl,
        log,
        topology,
        handler: tracedHandler(handler, dependencies.tracing),
      });
      dependencies.leaving?.addEventListener("abort", () => consumer?.leave());
      sweeper = startSweeper({
        database,
        publisher,
        redis,
        handled,
        log,
        ...(dependencies.sweepEveryMs === undefined ? {} : { everyMs: dependencies.sweepEveryMs }),
        ...(dependencies.sweepOlderThanMs === undefined
          ? {}
          : { olderThanMs: dependencies.sweepOlderThanMs }),
      });
    },

    async stopped() {
      await sweeper?.stop();
      await Promise.all([consumer?.close(), publisher?.close()]);
    },
  };
}
