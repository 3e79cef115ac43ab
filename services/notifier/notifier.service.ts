import { join } from "node:path";
import type { Context, ServiceSchema, ServiceSettingSchema } from "moleculer";
import { accepted, type Answer } from "../../domain/refusal.ts";
import { UUID } from "../../domain/uuid.ts";
import { configOf, nodeContextOf } from "../../lib/bus/node-context.ts";
import { systemClock } from "../../lib/concurrency/clock.ts";
import {
  DELIVERY_LIMIT,
  type Delivery as MessageDelivery,
  type Handler,
  NOTIFICATION_QUEUE,
  type NotificationMessage,
  readNotifications,
  type Turn,
} from "../../lib/queue/index.ts";
import { DatabaseMixin, type WithDatabases } from "../../mixins/database.mixin.ts";
import {
  QueueMixin,
  type QueueSettings,
  type WithConsumer,
  type WithPublisher,
} from "../../mixins/queue.mixin.ts";
import { createBreaker } from "./delivery/back-off.ts";
import { createDelivery, type Delivery } from "./delivery/delivery.ts";
import { fanOut } from "./delivery/fan-out.ts";
import { BACKLOG, REVIVE, TROUBLED } from "./delivery/notification.sql.ts";
import { startNotificationSweeper } from "./delivery/notification-sweeper.ts";
import { type MailTransport, openFiles, openSmtp } from "./delivery/transport.ts";
import { createComposer } from "./mails/compose.ts";
import { type Backlog, registerNotifierMetrics } from "./notifier-metrics.ts";

/** `sweepEveryMs`: interval of looking for due notifications. */
export type NotifierSettings = ServiceSettingSchema & QueueSettings & { sweepEveryMs: number };
type Message = MessageDelivery<NotificationMessage>;
type NotifierMethods = { handleDeliveries: Handler<NotificationMessage> };
type NotifierVars = WithDatabases<"sale"> &
  WithPublisher &
  WithConsumer & {
    breaker: ReturnType<typeof createBreaker>;
    delivery: Delivery;
    transport: MailTransport;
    sweeper: { stop(): Promise<void> } | undefined;
  };

/** A notification as operators see it: no address, no text. */
export type Troubled = {
  key: string;
  kind: string;
  state: "waiting" | "dead";
  attempts: number;
  eventId: string | null;
  accountId: string | null;
  reason: string | null;
  createdAt: string;
  dueAt: string;
};

const NOTIFICATIONS = { name: NOTIFICATION_QUEUE, deliveryLimit: DELIVERY_LIMIT };
/** A UUID of no version: derived from the cause. */
const KEY = { type: "string", pattern: UUID.source, optional: true };
const LIMIT = { type: "number", integer: true, positive: true, max: 1_000, optional: true };

/**
 * Sends e-mails about what has happened, each once. Selling never waits for it. Only writer of
 * `notification`, but for the row that a cause inserts in its own transaction.
 */
const NotifierService: ServiceSchema<NotifierSettings, NotifierMethods, NotifierVars> = {
  name: "notifier",
  mixins: [
    QueueMixin(NOTIFICATIONS, { consumes: true, read: readNotifications }),
    DatabaseMixin({ profiles: ["sale"] }),
  ],
  settings: { queue: NOTIFICATIONS, sweepEveryMs: 1_000 },

  actions: {
    /** How many notifications wait, for how long, and how many are dead letters. */
    status: {
      auth: "operator",
      unaudited: true,
      params: { $$strict: true },
      async handler(): Promise<Answer<Backlog>> {
        const [backlog] = await this.databases.sale.query<Backlog>(BACKLOG);
        return accepted(backlog ?? { waiting: 0, overdueS: null, dead: 0 });
      },
    },

    /** Lists dead letters and, without `dead`, what waits after a failed try. The oldest first. */
    troubled: {
      auth: "operator",
      params: { $$strict: true, dead: { type: "boolean", optional: true }, limit: LIMIT },
      async handler(
        ctx: Context<{ dead?: boolean; limit?: number }>,
      ): Promise<Answer<{ items: Troubled[] }>> {
        const { dead = false, limit = 100 } = ctx.params;
        const values = [dead, limit];
        return accepted({
          items: await this.databases.sale.query<Troubled>({ ...TROUBLED, values }),
        });
      },
    },

    /** Makes dead letters due again, all or the one of this key. */
    retry: {
      auth: "operator",
      params: { $$strict: true, key: KEY },
      async handler(ctx: Context<{ key?: string }>): Promise<Answer<{ revived: number }>> {
        const values = [ctx.params.key ?? null];
        const [row] = await this.databases.sale.query<{ revived: number }>({ ...REVIVE, values });
        return accepted({ revived: row?.revived ?? 0 });
      },
    },
  },

  methods: {
    /**
     * Sends what the messages name. Acknowledges all of them whatever happens: the table knows what
     * is still due, and the sweeper publishes it again.
     */
    async handleDeliveries(deliveries: readonly Message[], turn: Turn) {
      const keys = deliveries.flatMap(({ message }) => message.keys);
      const leaving = AbortSignal.any([turn.signal, nodeContextOf(this.broker).leaving]);
      try {
        await this.delivery.deliver(keys, leaving);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.logger.warn(`Notifications wait for PostgreSQL: ${reason}`);
      }
      return [];
    },
  },

  created() {
    const { broker, databases, logger } = this;
    const { metrics, troubles } = nodeContextOf(broker);
    const { smtpUrl, mailFrom, siteUrl, dataDir, production, mailTokenSecret } = configOf(broker);
    const sender = { from: mailFrom, siteUrl };
    const folder = join(dataDir, "mail");
    this.transport =
      smtpUrl === undefined
        ? openFiles(folder, sender, troubles)
        : openSmtp({ url: smtpUrl, requireTls: production }, sender);
    if (smtpUrl === undefined)
      logger.warn(`SMTP_URL is not set: e-mails are written to ${folder}, and none is sent`);
    this.breaker = createBreaker(systemClock);
    this.delivery = createDelivery({
      database: databases.sale,
      transport: this.transport,
      breaker: this.breaker,
      log: logger,
      compose: createComposer({
        database: databases.sale,
        siteUrl,
        tokenSecret: mailTokenSecret,
      }),
      fanOut: (notification) => fanOut(databases.sale, notification),
      note:
        metrics === undefined
          ? () => undefined
          : registerNotifierMetrics(metrics, {
              database: databases.sale,
              breaker: this.breaker,
              consumer: () => this.consumer,
              publisher: () => this.publisher,
            }),
    });
  },

  started() {
    const { databases, publisher, delivery, breaker, logger, settings } = this;
    if (publisher === undefined) throw new Error("QueueMixin has opened no publisher");
    this.sweeper = startNotificationSweeper({
      database: databases.sale,
      publisher,
      delivery,
      breaker,
      log: logger,
      everyMs: settings.sweepEveryMs,
      perSecond: configOf(this.broker).mailsPerSecond,
    });
  },

  async stopped() {
    await this.sweeper?.stop();
    this.transport.close();
  },
};
export default NotifierService;
