import { type ChannelModel, connect, type RecoveringChannelModel } from "amqplib";

/** What a service's logger can do; here so that tests may pass their own. */
export type Log = {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
};

const HEARTBEAT_SECONDS = 5;
const CONNECT_MS = 3_000;
const CLOSE_MS = 3_000;

export type QueueConnection = {
  connected(): boolean;
  /** Ends the present connection as a fault would; recovery then makes everything anew. */
  breakOff(): void;
  /** Resolves when the server has said goodbye, or after three seconds. */
  close(): Promise<void>;
};

export type QueueConnectionOptions = {
  url: string;
  log: Log;
  /** Runs at each connection, before it counts as connected; makes channels, topology and consumers anew. */
  setup(model: ChannelModel): Promise<void>;
  onLost?(): void;
  onBlocked?(): void;
  onUnblocked?(): void;
};

/**
 * A connection to RabbitMQ that comes back by itself for ever and never makes its opener wait or fail: a node starts while RabbitMQ is away.
 * A frozen server is noticed by heartbeats within 15 s. A loss is logged once, not at every attempt.
 * Publisher and consumer each have their own: a server that blocks publishers stops reading from their connection, acknowledgements included.
 */
export async function openQueueConnection(
  options: QueueConnectionOptions,
): Promise<QueueConnection> {
  const { log } = options;
  let model: ChannelModel | undefined;
  let announced: "connected" | "lost" | undefined;
  const lost = (error: Error): void => {
    if (announced !== "lost") log.warn(`RabbitMQ is away: ${error.message}`);
    announced = "lost";
  };

  const setup = async (fresh: ChannelModel): Promise<void> => {
    // Until setup is done amqplib has no listeners of its own: an error would end the process, a close would go unnoticed.
    let closed: Error | undefined;
    fresh.on("error", () => undefined);
    fresh.on("close", (error) => (closed = error ?? new Error("connection closed")));
    await options.setup(fresh);
    if (closed !== undefined) throw closed;
    model = fresh;
  };

  const recovering: RecoveringChannelModel = await connect(withHeartbeat(options.url), {
    timeout: CONNECT_MS,
    noDelay: true,
    clientProperties: { connection_name: "boxoffice" },
    recovery: { initialDelay: 100, maxDelay: 2_000, waitForConnect: false, setup },
  });
  recovering.on("connect", () => {
    if (announced === "lost") log.info("RabbitMQ is back");
    announced = "connected";
  });
  recovering.on("connect-failed", lost);
  recovering.on("disconnect", (error) => {
    model = undefined;
    options.onLost?.();
    lost(error);
  });
  // "error" comes with every fatal close and is followed by "disconnect", which says it.
  recovering.on("error", () => undefined);
  recovering.on("handler-error", (error: Error) =>
    log.error(`A queue handler threw: ${error.stack ?? error.message}`),
  );
  recovering.on("blocked", () => options.onBlocked?.());
  recovering.on("unblocked", () => options.onUnblocked?.());

  return {
    connected: () => model !== undefined,
    breakOff() {
      model?.close().catch(() => undefined);
    },
    async close() {
      await withinMs(recovering.close(), CLOSE_MS);
    },
  };
}

/** Resolves with the promise, or after `ms` without it; never rejects. */
export async function withinMs(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([promise.catch(() => undefined), timeout]);
  clearTimeout(timer);
}

/** A frozen server ends the connection after two of them have passed. */
export function withHeartbeat(text: string): string {
  const url = new URL(text);
  if (!url.searchParams.has("heartbeat"))
    url.searchParams.set("heartbeat", String(HEARTBEAT_SECONDS));
  return url.href;
}
