import type { Context, ServiceSchema, ServiceSettingSchema } from "moleculer";
import type { CancelTicket, Command } from "../../domain/event-state.ts";
import { accepted, refused } from "../../domain/refusal.ts";
import type { CopiesDoubted } from "../../lib/availability/ticket-copy.ts";
import type { ListPart } from "../../lib/bus/command-list.ts";
import { EVENT_OWNER } from "../../lib/bus/event-owner.strategy.ts";
import { configOf, nodeContextOf } from "../../lib/bus/node-context.ts";
import { systemClock } from "../../lib/concurrency/clock.ts";
import { DELIVERY_LIMIT, TRANSACTION_QUEUE } from "../../lib/queue/index.ts";
import { type CallMeta, callerOf } from "../../mixins/action.middleware.ts";
import { DatabaseMixin, type WithDatabases } from "../../mixins/database.mixin.ts";
import { LeaseMixin, type WithLeases } from "../../mixins/lease.mixin.ts";
import { QueueMixin, type WithPublisher } from "../../mixins/queue.mixin.ts";
import { RedisMixin, type WithRedis } from "../../mixins/redis.mixin.ts";
import { TokensMixin, type WithTokens } from "../../mixins/tokens.mixin.ts";
import { CommandLists } from "./command-lists.ts";
import { traceCommands, type TracedCommands } from "./observability/command-tracing.ts";
import { registerPurchaseMetrics } from "./observability/purchase-metrics.ts";
import { COPIES_DOUBTED } from "./availability/copies-doubted.ts";
import {
  BUY_PARAMS,
  type BuyParams,
  CANCEL_PARAMS,
  type CancelParams,
  COLLECT_PARAMS,
  type CollectParams,
  isComplete,
  SERVE_PARAMS,
  type ServeParams,
  SUBMIT_PARAMS,
  type SubmitParams,
} from "./purchasing.params.ts";
import { ticketActions } from "./tickets/ticket.actions.ts";
import { createTicketReads, type WithTicketReads } from "./tickets/ticket-reads.ts";
import { cancellationId, purchaseId } from "../../lib/ids.ts";
import { createWorkerPorts } from "./worker/create-ports.ts";
import type { Outcome, PurchaseMetrics, WorkerPorts } from "./worker/ports.ts";
import { notLookedUp } from "./worker/undecided.ts";
import { Workers } from "./worker/workers.ts";

/** `insteadOf`: the owner that did not answer the caller. */
type SubmitOptions = { forwarded?: boolean; insteadOf?: string | undefined };

type PurchasingMethods = {
  submit(eventId: string, command: Command, options: SubmitOptions): Promise<Outcome> | Outcome;
  adaptPorts(ports: WorkerPorts): WorkerPorts;
};

type PurchasingVars = WithDatabases<"sale" | "worker"> &
  WithRedis &
  WithLeases &
  WithPublisher &
  WithTokens &
  WithTicketReads & {
    transactionSecret: string;
    /** Undefined until the service starts. */
    workers: Workers | undefined;
    ports: { close(): void } | undefined;
    lists: CommandLists;
    metrics: PurchaseMetrics | undefined;
    traced: TracedCommands | undefined;
  };

/**
 * Sells and cancels through one worker per event, and shows customers their tickets. The only
 * writer of event_worker, event_tickets and pending rows.
 */
const PurchasingService: ServiceSchema<ServiceSettingSchema, PurchasingMethods, PurchasingVars> = {
  name: "purchasing",
  mixins: [
    QueueMixin({ name: TRANSACTION_QUEUE, deliveryLimit: DELIVERY_LIMIT }),
    LeaseMixin(),
    TokensMixin(),
    RedisMixin(),
    DatabaseMixin({ profiles: ["sale", "worker"] }),
  ],

  actions: {
    /**
     * Buys all or none. Answers a Purchase. Can refuse with: EVENT_NOT_FOUND, EVENT_CANCELLED,
     * EVENT_POSTPONED, EVENT_OVER, PURCHASE_LIMIT_REACHED, EVENT_SOLD_OUT, IDEMPOTENCY_KEY_REUSED,
     * TRY_AGAIN (nothing was sold), OUTCOME_UNKNOWN (repeat with the same key).
     */
    buy: {
      auth: "customer",
      strategy: EVENT_OWNER,
      params: BUY_PARAMS,
      handler(ctx: Context<BuyParams>): Promise<Outcome> | Outcome {
        const { eventId, key, quantity, insteadOf } = ctx.params;
        const { userId } = callerOf(ctx);
        const transactionId = purchaseId(
          this.transactionSecret,
          userId,
          eventId.toLowerCase(),
          key,
        );
        return this.submit(
          eventId,
          { type: "BuyTickets", transactionId, userId, quantity },
          { insteadOf },
        );
      },
    },

    /**
     * Frees the ticket's place, once. Answers the Ticket. Can refuse with: TICKET_NOT_FOUND,
     * EVENT_OVER, TRY_AGAIN, OUTCOME_UNKNOWN.
     */
    cancel: {
      auth: "customer",
      strategy: EVENT_OWNER,
      params: CANCEL_PARAMS,
      async handler(ctx: Context<CancelParams>): Promise<Outcome> {
        const { eventId, ticketId, insteadOf } = ctx.params;
        const command = cancellation(this.transactionSecret, callerOf(ctx).userId, ticketId);
        const outcome = await this.submit(eventId, command, { insteadOf });
        // A ticket under the wrong event's id is no ticket.
        return !outcome.ok && outcome.refusal.code === "EVENT_NOT_FOUND"
          ? refused("TICKET_NOT_FOUND")
          : outcome;
      },
    },

    /**
     * Runs `buy` and `cancel` for many callers, each call with its own token and request id.
     * Answers the results that come first; `collect` gives the others. See ADR-0077.
     */
    submit: {
      auth: "each",
      params: SUBMIT_PARAMS,
      handler(ctx: Context<SubmitParams>): Promise<ListPart> {
        return this.lists.submit(ctx.params.commands, ({ action, params, meta, requestId }) =>
          this.broker.call(action, params, {
            nodeID: this.broker.nodeID,
            parentCtx: ctx,
            meta,
            requestID: requestId,
            // The worker answers in time, and a node stops after its workers.
            timeout: 0,
            tracking: false,
          }),
        );
      },
    },

    /** Answers further results of a list, to a caller with the token of one of its commands. */
    collect: {
      auth: "customer",
      params: COLLECT_PARAMS,
      handler(ctx: Context<CollectParams, CallMeta>): Promise<ListPart> {
        return this.lists.collect(ctx.params.list, ctx.meta.token);
      },
    },

    /**
     * Serves a command that another node's worker forwarded, for the same customer, on any node.
     */
    serve: {
      auth: "customer",
      visibility: "public",
      params: SERVE_PARAMS,
      handler(ctx: Context<ServeParams>): Promise<Outcome> | Outcome {
        const { eventId, command } = ctx.params;
        if (command.userId !== callerOf(ctx).userId) return refused("FORBIDDEN");
        if (!isComplete(command)) return refused("VALIDATION_ERROR");
        return this.submit(eventId, command, { forwarded: true });
      },
    },

    ...ticketActions,

    /** Lists the workers of one node, for operators. */
    workers: {
      auth: "operator",
      unaudited: true,
      params: { $$strict: true },
      handler() {
        return accepted({ items: this.workers?.status() ?? [] });
      },
    },
  },

  events: {
    /** An import changed an event. */
    "event.changed"(ctx: Context<{ eventId: string }>) {
      this.workers?.forget(ctx.params.eventId);
    },

    /** A worker of any node may have lost a write of copies, or has repaired it. */
    [COPIES_DOUBTED](ctx: Context<CopiesDoubted>) {
      this.ticketReads.doubt(ctx.nodeID ?? "", ctx.params);
    },

    /** Moleculer's own: a node joined or left, or offers other services. */
    "$services.changed"() {
      this.workers?.onTopologyChange();
    },
  },

  methods: {
    /** Puts a command into the mailbox of its event's worker. */
    submit(eventId: string, command: Command, { forwarded = false, insteadOf }: SubmitOptions) {
      this.traced?.came(command.transactionId);
      return this.workers === undefined
        ? notLookedUp(command)
        : this.workers.submit(eventId.toLowerCase(), command, forwarded, insteadOf);
    },

    /** Tests replace this method to put a broken part in place of a real one. */
    adaptPorts: (ports: WorkerPorts) => ports,
  },

  created() {
    const { metrics, tracing } = nodeContextOf(this.broker);
    this.transactionSecret = configOf(this.broker).transactionSecret;
    const { databases, redis, transactionSecret } = this;
    this.ticketReads = createTicketReads(databases.sale, redis, metrics, transactionSecret);
    this.traced = tracing && traceCommands(tracing);
    this.lists = new CommandLists({
      nowMs: () => systemClock.nowMs(),
      endOfTurn: () => new Promise((resolve) => setImmediate(resolve)),
      leaving: () => nodeContextOf(this.broker).leaving.aborted,
    });
    this.metrics =
      metrics &&
      registerPurchaseMetrics(metrics, {
        workers: () => this.workers,
        publisher: () => this.publisher,
      });
  },

  started() {
    const { publisher, metrics, traced } = this;
    if (publisher === undefined) throw new Error("QueueMixin has opened no publisher");
    const ports = createWorkerPorts(this, publisher, metrics);
    this.ticketReads.start();
    const workers = new Workers(this.adaptPorts(traced?.ports(ports, publisher) ?? ports));
    this.ports = ports;
    this.workers = workers;
    nodeContextOf(this.broker).leaving.addEventListener("abort", () => workers.onTopologyChange());
  },

  async stopped() {
    await this.workers?.stop();
    this.ports?.close();
    this.ticketReads.close();
  },
};
export default PurchasingService;

function cancellation(secret: string, userId: string, ticketId: string): CancelTicket {
  const id = ticketId.toLowerCase();
  return { type: "CancelTicket", transactionId: cancellationId(secret, id), userId, ticketId: id };
}
