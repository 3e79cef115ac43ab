import type { Context, ServiceBroker, ServiceSchema, ServiceSettingSchema } from "moleculer";
import { accepted, type Answer, refused } from "../../domain/refusal.ts";
import { configOf, nodeContextOf, serverUrlOf } from "../../lib/bus/node-context.ts";
import type { DeadLetter } from "../../lib/queue/dead-letters.ts";
import {
  DELIVERY_LIMIT,
  type Delivery,
  type Handler,
  topologyOf,
  TRANSACTION_QUEUE,
  type Turn,
} from "../../lib/queue/index.ts";
import { DatabaseMixin, type WithDatabases } from "../../mixins/database.mixin.ts";
import {
  QueueMixin,
  type QueueSettings,
  type WithConsumer,
  type WithPublisher,
} from "../../mixins/queue.mixin.ts";
import { RedisMixin, type WithRedis } from "../../mixins/redis.mixin.ts";
import { isUnavailable } from "../../lib/database/pool.ts";
import { registerLedgerMetrics } from "./ledger-metrics.ts";
import { POSITION, reconcile, type Reconciliation } from "./reconcile/reconcile.ts";
import { registerReconcileMetrics, type ReconcileWatch } from "./reconcile/reconcile-metrics.ts";
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
import { type Booking, createBooking, type LedgerCounts } from "./booking/transaction-consumer.ts";

/**
 * `sweepEveryMs`: interval of the sweeper. `sweepOlderThanMs`: younger rows still have a message in
 * flight.
 */
export type LedgerSettings = ServiceSettingSchema &
  QueueSettings & { sweepEveryMs: number; sweepOlderThanMs: number };

type LedgerVars = WithDatabases<"long"> &
  WithRedis &
  WithPublisher &
  WithConsumer & {
    counts: LedgerCounts;
    /** Events of messages that were done since the sweeper's last look. */
    handled: Set<string>;
    booking: Booking;
    sweeper: Sweeper | undefined;
    reconcileWatch: ReconcileWatch | undefined;
  };
type LedgerMethods = { handleDeliveries: Handler };

const TRANSACTIONS = { name: TRANSACTION_QUEUE, deliveryLimit: DELIVERY_LIMIT };

export type LedgerStatus = {
  pendingRows: number;
  /** How far the ledger is behind: the age of the oldest pending row, 0 when nothing waits. */
  lagMs: number;
  failedRows: number;
  /** Since this node started. */
  appliedRows: number;
  outages: number;
  paused: boolean;
  /** Members are undefined while RabbitMQ is down. */
  queue: { ready?: number; dead?: number; consumers?: number };
};

type ReconcileParams = { eventId?: string; from?: string; mend?: boolean };
type ReplayParams = { id?: string; limit?: number };
type Backlog = { pendingRows: number; failedRows: number; oldestPendingMs: number | null };

const LIMIT = { type: "number", integer: true, positive: true, max: 1_000, optional: true };
const LETTER_ID = { type: "string", pattern: "^[0-9a-f]{16}$" };

/**
 * Refuses with TRY_AGAIN if RabbitMQ (undefined) or PostgreSQL is down. The work may then be
 * repeated.
 */
async function whereServersAnswer<T>(work: () => Promise<T | undefined>): Promise<Answer<T>> {
  try {
    const value = await work();
    return value === undefined ? refused("TRY_AGAIN") : accepted(value);
  } catch (error) {
    if (isUnavailable(error)) return refused("TRY_AGAIN");
    throw error;
  }
}

/** Where dead letters are read and moved, each time on a connection of its own. */
function messengerOf({ broker, settings }: { broker: ServiceBroker; settings: QueueSettings }) {
  const { name, deliveryLimit } = settings.queue;
  return {
    url: serverUrlOf(broker, "amqpUrl"),
    ca: configOf(broker).serversCa?.pem,
    topology: topologyOf(name, deliveryLimit),
  };
}

/**
 * Books what the workers have committed, a moment later and exactly once, whatever the queue does.
 * The only writer of `event.capacity` and `capacity_ledger`.
 */
const LedgerService: ServiceSchema<LedgerSettings, LedgerMethods, LedgerVars> = {
  name: "ledger",
  mixins: [
    QueueMixin(TRANSACTIONS, { consumes: true }),
    RedisMixin(),
    DatabaseMixin({ profiles: ["long"] }),
  ],
  settings: { queue: TRANSACTIONS, sweepEveryMs: 1_000, sweepOlderThanMs: 5_000 },

  actions: {
    /**
     * Compares tables and caches and reports each discrepancy, for some seconds. The next call goes
     * on `from` the answer's `next`. Can refuse with: EVENT_NOT_FOUND.
     */
    reconcile: {
      auth: "operator",
      timeout: 65_000,
      params: {
        $$strict: true,
        eventId: { type: "uuid", optional: true },
        from: { type: "string", pattern: POSITION, optional: true },
        mend: { type: "boolean", optional: true },
      },
      async handler(ctx: Context<ReconcileParams>): Promise<Answer<Reconciliation>> {
        const { eventId, from, mend = true } = ctx.params;
        const result = await reconcile(this.databases.long, this.redis, {
          eventId: eventId?.toLowerCase(),
          from,
          mend,
          watch: this.reconcileWatch,
        });
        if (result === undefined) return refused("EVENT_NOT_FOUND");
        const { events, differences, more, next = "the end" } = result;
        this.logger.info(
          `Reconciled ${events} events, from ${eventId ?? from ?? "the first"} to ${next}: ` +
            `${differences.length + more} differences`,
        );
        return accepted(result);
      },
    },

    /** How far booking is behind selling. */
    status: {
      auth: "operator",
      unaudited: true,
      params: { $$strict: true },
      async handler(): Promise<Answer<LedgerStatus>> {
        const [backlog] = await this.databases.long.query<Backlog>({ text: BACKLOG });
        return accepted({
          pendingRows: backlog?.pendingRows ?? 0,
          lagMs: Math.max(0, Math.round(backlog?.oldestPendingMs ?? 0)),
          failedRows: backlog?.failedRows ?? 0,
          appliedRows: this.counts.appliedRows,
          outages: this.counts.outages,
          paused: this.consumer?.paused() ?? true,
          queue: (await this.consumer?.inspect()) ?? {},
        });
      },
    },

    /** Shows the oldest dead letters and keeps them. Can refuse with: TRY_AGAIN. */
    deadLetters: {
      auth: "operator",
      timeout: 30_000,
      params: { $$strict: true, limit: LIMIT },
      async handler(
        ctx: Context<{ limit?: number }>,
      ): Promise<Answer<{ waiting: number; letters: DeadLetter[] }>> {
        return whereServersAnswer(() => listDeadLetters(messengerOf(this), ctx.params.limit ?? 20));
      },
    },

    /**
     * Moves dead letters back into the queue, all or those of one id. It may move one twice, and
     * loses none. Can refuse with: TRY_AGAIN.
     */
    replay: {
      auth: "operator",
      timeout: 65_000,
      params: { $$strict: true, id: { ...LETTER_ID, optional: true }, limit: LIMIT },
      async handler(ctx: Context<ReplayParams>): Promise<Answer<Replayed>> {
        return whereServersAnswer(() =>
          replayDeadLetters(messengerOf(this), this.databases.long, {
            limit: 1_000,
            ...ctx.params,
          }),
        );
      },
    },

    /** Deletes a dead letter that cannot be read. Can refuse with: TRY_AGAIN. */
    discard: {
      auth: "operator",
      timeout: 30_000,
      params: { $$strict: true, id: LETTER_ID },
      async handler(
        ctx: Context<{ id: string }>,
      ): Promise<Answer<{ discarded: number; readable: number }>> {
        return whereServersAnswer(() => discardDeadLetter(messengerOf(this), ctx.params.id));
      },
    },

    /**
     * Books all of an event's failed rows or none, after an operator has repaired the event. Can
     * refuse with: EVENT_NOT_FOUND, TRY_AGAIN.
     */
    retryFailed: {
      auth: "operator",
      timeout: 65_000,
      params: { $$strict: true, eventId: { type: "uuid" } },
      async handler(ctx: Context<{ eventId: string }>): Promise<Answer<Retried>> {
        const answer = await whereServersAnswer(
          async () =>
            (await retryFailed(this.databases.long, ctx.params.eventId.toLowerCase())) ?? null,
        );
        return answer.ok && answer.value === null
          ? refused("EVENT_NOT_FOUND")
          : (answer as Answer<Retried>);
      },
    },
  },

  methods: {
    handleDeliveries(deliveries: readonly Delivery[], turn: Turn) {
      return this.booking.handle(deliveries, turn);
    },
  },

  created() {
    const { broker, logger, databases } = this;
    const { metrics, tracing } = nodeContextOf(broker);
    this.counts = { appliedRows: 0, failedRows: 0, outages: 0 };
    this.handled = new Set();
    const watch =
      metrics &&
      registerLedgerMetrics(metrics, {
        database: databases.long,
        counts: this.counts,
        consumer: () => this.consumer,
        publisher: () => this.publisher,
      });
    this.reconcileWatch = metrics && registerReconcileMetrics(metrics);
    const booking = createBooking({
      database: databases.long,
      log: logger,
      counts: this.counts,
      handled: this.handled,
      touched: watch?.touched,
    });
    this.booking = { ...booking, handle: tracedHandler(booking.handle, tracing) };
  },

  started() {
    const { databases, redis, publisher, booking, handled, logger, settings } = this;
    if (publisher === undefined) throw new Error("QueueMixin has opened no publisher");
    this.sweeper = startSweeper({
      database: databases.long,
      publisher,
      book: booking.book,
      redis,
      handled,
      log: logger,
      everyMs: settings.sweepEveryMs,
      olderThanMs: settings.sweepOlderThanMs,
    });
  },

  async stopped() {
    await this.sweeper?.stop();
  },
};
export default LedgerService;
