import type { Context, ServiceSchema } from "moleculer";
import type { BuyTickets, CancelTicket, Command } from "../../domain/event-state.ts";
import { accepted, refused } from "../../domain/refusal.ts";
import { callerOf } from "../../mixins/authorization.middleware.ts";
import { AVAILABILITY_CHANGED } from "../../lib/availability/availability-event.ts";
import { systemClock } from "../../lib/concurrency/clock.ts";
import type { Database } from "../../lib/database/pool.ts";
import { EVENT_OWNER } from "../../lib/bus/event-owner.strategy.ts";
import { createInternalTokenMint } from "../../lib/auth/internal-token.ts";
import { openLeases, type Leases } from "../../lib/redis/redlock-lease.ts";
import type { Metrics } from "../../lib/observability/metrics.ts";
import { openPublisher, type Publisher } from "../../lib/queue/index.ts";
import type { RedisClient } from "../../lib/redis/client.ts";
import type { Tracing } from "../../lib/observability/tracing.ts";
import {
  type AvailabilityPublisher,
  createAvailabilityPublisher,
} from "./availability/availability-publisher.ts";
import { postgresStore } from "./store/event-store.ts";
import type { Outcome, WorkerLimits, WorkerPorts } from "./worker/ports.ts";
import { createBatchedEventStore } from "./store/batched-event-store.ts";
import { registerPurchaseMetrics } from "./observability/purchase-metrics.ts";
import { createAvailabilityCacheWriter } from "./availability/availability-cache-writer.ts";
import { createOwnerRouter } from "./worker/owner-router.ts";
import { ticketActions } from "./tickets/ticket.actions.ts";
import { createTicketIds } from "./tickets/ticket-id.ts";
import { traceCommands } from "./observability/command-tracing.ts";
import {
  type TransactionKey,
  cancellationId,
  purchaseId,
  transactionKey,
} from "./tickets/transaction-id.ts";
import { Workers } from "./worker/worker-registry.ts";

export type PurchasingDependencies = {
  /** Of the profile "sale", for what people read. Closed by whoever opened it, as are the others. */
  database: Database;
  /** Of the profile "worker". */
  workerDatabase: Database;
  redis: RedisClient;
  amqpUrl: string;
  lockUrls: string[];
  leaseMs: number;
  transactionSecret: string;
  internalTokenSecret: string;
  limits: WorkerLimits;
  /** Aborted when the node begins to stop: its events go to others at once. */
  leaving: AbortSignal;
  /** Undefined where nobody looks. */
  metrics?: Metrics | undefined;
  /** Undefined where nothing is traced. */
  tracing?: Tracing | undefined;
  /** Tests put a broken part in place of a real one, to see that a check notices. */
  replace?: (ports: WorkerPorts) => WorkerPorts;
};

/** `insteadOf`: the node that owns the event and did not answer its caller. */
type BuyParams = { eventId: string; quantity: number; key: string; insteadOf?: string };
type CancelParams = { eventId: string; ticketId: string; insteadOf?: string };
type ServeParams = { eventId: string; command: Command };
/** What the params' rules cannot promise of a command: they know both kinds at once. */
type Unread<Kind extends Command> = Pick<Kind, "type"> & Partial<Kind>;

const uuid = { type: "uuid" } as const;
const places = { type: "number", integer: true, min: 1, max: 10 };
const nodeId = { type: "string", min: 1, max: 255, optional: true };
const hexId = { type: "string", pattern: "^[0-9a-f]{128}$" };

/** Sells and cancels through one worker per event, and shows people their tickets. The only writer of event_worker, event_tickets and pending rows. */
export function createPurchasingService(dependencies: PurchasingDependencies): ServiceSchema {
  const { database, workerDatabase, redis, transactionSecret } = dependencies;
  const transactions = transactionKey(transactionSecret);
  let workers: Workers | undefined;
  let leases: Leases | undefined;
  let publisher: Publisher | undefined;
  const copies = createAvailabilityCacheWriter(redis);
  let news: AvailabilityPublisher | undefined;
  const { metrics, tracing } = dependencies;
  const traced = tracing && traceCommands(tracing);
  const watch =
    metrics &&
    registerPurchaseMetrics(metrics, { workers: () => workers, publisher: () => publisher });

  const submit = (
    eventId: string,
    command: Command,
    forwarded: boolean,
    insteadOf?: string,
  ): Promise<Outcome> | Outcome => {
    traced?.came(command.transactionId);
    return workers === undefined
      ? refused("TRY_AGAIN")
      : workers.submit(eventId.toLowerCase(), command, forwarded, insteadOf);
  };

  return {
    name: "purchasing",

    actions: {
      /**
       * Buys all or none; answers a Purchase. Can refuse with: EVENT_NOT_FOUND, EVENT_OVER, PURCHASE_LIMIT_REACHED, EVENT_SOLD_OUT,
       * IDEMPOTENCY_KEY_REUSED, TRY_AGAIN (nothing was sold), OUTCOME_UNKNOWN (ask again with the same key).
       */
      buy: {
        auth: "customer",
        strategy: EVENT_OWNER,
        params: {
          $$strict: true,
          eventId: uuid,
          quantity: places,
          key: { type: "string", min: 1, max: 255 },
          insteadOf: nodeId,
        },
        handler(ctx: Context<BuyParams>): Promise<Outcome> | Outcome {
          const { eventId, key, quantity, insteadOf } = ctx.params;
          const { userId } = callerOf(ctx);
          const transactionId = purchaseId(transactions, userId, eventId.toLowerCase(), key);
          return submit(
            eventId,
            { type: "BuyTickets", transactionId, userId, quantity },
            false,
            insteadOf,
          );
        },
      },

      /** Frees the ticket's place, once; answers the Ticket. Can refuse with: TICKET_NOT_FOUND, EVENT_OVER, TRY_AGAIN, OUTCOME_UNKNOWN. */
      cancel: {
        auth: "customer",
        strategy: EVENT_OWNER,
        params: { $$strict: true, eventId: uuid, ticketId: uuid, insteadOf: nodeId },
        async handler(ctx: Context<CancelParams>): Promise<Outcome> {
          const { eventId, ticketId, insteadOf } = ctx.params;
          const command = cancellation(transactions, callerOf(ctx).userId, ticketId);
          const outcome = await submit(eventId, command, false, insteadOf);
          // Whoever names the wrong event for a ticket has named no ticket.
          return !outcome.ok && outcome.refusal.code === "EVENT_NOT_FOUND"
            ? refused("TICKET_NOT_FOUND")
            : outcome;
        },
      },

      /** A command that another node's worker passed on, for its own customer: served here, whoever owns the event. */
      serve: {
        auth: "customer",
        visibility: "public",
        params: {
          $$strict: true,
          eventId: uuid,
          command: {
            type: "object",
            strict: true,
            props: {
              type: { type: "enum", values: ["BuyTickets", "CancelTicket"] },
              transactionId: hexId,
              userId: uuid,
              quantity: { ...places, optional: true },
              ticketId: { ...uuid, optional: true },
            },
          },
        },
        handler(ctx: Context<ServeParams>): Promise<Outcome> | Outcome {
          const { eventId, command } = ctx.params;
          if (command.userId !== callerOf(ctx).userId) return refused("FORBIDDEN");
          if (!isWhole(command)) return refused("VALIDATION_ERROR");
          return submit(eventId, command, true);
        },
      },

      ...ticketActions(database, transactionSecret),

      /** The workers of one node, for operators. */
      workers: {
        auth: "operator",
        unaudited: true,
        params: { $$strict: true },
        handler() {
          return accepted({ items: workers?.status() ?? [] });
        },
      },
    },

    events: {
      /** An import changed what is being sold. */
      "event.changed"(ctx: Context<{ eventId: string }>) {
        workers?.forget(ctx.params.eventId);
      },

      /** Moleculer's: a node came or went, or what it offers has changed. */
      "$services.changed"() {
        workers?.onTopologyChange();
      },
    },

    async started() {
      const { amqpUrl, lockUrls, leaseMs, internalTokenSecret, limits, leaving, replace } =
        dependencies;
      const { logger, broker } = this;
      const held = openLeases(lockUrls, leaseMs, (message) => logger.warn(message));
      const messages = await openPublisher({ url: amqpUrl, log: logger });
      news = createAvailabilityPublisher((items) => {
        // Whoever does not hear of it looks for itself within seconds.
        broker.broadcast(AVAILABILITY_CHANGED, { items }).catch(() => undefined);
      }, systemClock);
      const plain: WorkerPorts = {
        store: createBatchedEventStore(
          workerDatabase,
          postgresStore(workerDatabase, broker.nodeID),
        ),
        lease: {
          acquire: (eventId, waitMs, cutShort) =>
            held.acquire(`lock:event:{${eventId}}`, waitMs, cutShort),
        },
        publisher: messages,
        copies: {
          write(left) {
            news?.changed(left);
            return copies.write(left);
          },
        },
        clock: systemClock,
        router: createOwnerRouter(broker, createInternalTokenMint(internalTokenSecret), leaving),
        newTicketId: createTicketIds(),
        random: Math.random,
        limits,
        note: (what, eventId, data) => {
          watch?.noted(what);
          logger[LOUD.has(what) ? "warn" : "debug"]({ what, eventId, ...data });
        },
        watch,
      };
      const ports = traced === undefined ? plain : traced.ports(plain, messages);
      leases = held;
      publisher = messages;
      const all = new Workers(replace === undefined ? ports : replace(ports));
      workers = all;
      leaving.addEventListener("abort", () => all.onTopologyChange());
    },

    async stopped() {
      await workers?.stop();
      copies.close();
      news?.close();
      await Promise.all([leases?.close(), publisher?.close()]);
    },
  };
}

const LOUD: ReadonlySet<string> = new Set([
  "commit-failed",
  "commit-unknown",
  "store-away",
  "fault",
]);

/** Each kind with what belongs to it: a purchase of no quantity would sell nothing and leave what is available not a number. */
function isWhole(command: Unread<BuyTickets> | Unread<CancelTicket>): boolean {
  return command.type === "BuyTickets"
    ? command.quantity !== undefined
    : command.ticketId !== undefined;
}

function cancellation(secret: TransactionKey, userId: string, ticketId: string): CancelTicket {
  const id = ticketId.toLowerCase();
  return { type: "CancelTicket", transactionId: cancellationId(secret, id), userId, ticketId: id };
}
