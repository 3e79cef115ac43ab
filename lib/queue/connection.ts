import { type ChannelModel, connect, type RecoveringChannelModel } from "amqplib";

/** The methods of a logger that are used here. */
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
  /** Closes the connection like a fault. Recovery then builds everything anew. */
  breakOff(): void;
  /** Resolves on `close-ok`, or after 3 s. */
  close(): Promise<void>;
};

export type QueueConnectionOptions = {
  url: string;
  log: Log;
  /**
   * Called for each connection before it counts as connected. Makes channels, topology, consumers.
   */
  setup(model: ChannelModel): Promise<void>;
  onLost?(): void;
  onBlocked?(): void;
  onUnblocked?(): void;
};

/**
 * Opens a connection to RabbitMQ that reconnects forever. Opening never waits or fails, so a node
 * starts without RabbitMQ. Heartbeats notice a frozen server within 15 s. A loss is logged once.
 * Publisher and consumer need separate connections: a blocked publisher's connection is not read,
 * acknowledgements included.
 */
export async function openQueueConnection(
  options: QueueConnectionOptions,
): Promise<QueueConnection> {
  const { log } = options;
  let model: ChannelModel | undefined;
  let announced: "connected" | "lost" | undefined;
  const lost = (error: Error): void => {
    if (announced !== "lost") log.warn(`RabbitMQ is down: ${error.message}`);
    announced = "lost";
  };

  const setup = async (fresh: ChannelModel): Promise<void> => {
    // amqplib adds its listeners only after setup. Without ours, an error would end the process.
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
    if (announced === "lost") log.info("RabbitMQ is connected again");
    announced = "connected";
  });
  recovering.on("connect-failed", lost);
  recovering.on("disconnect", (error) => {
    model = undefined;
    options.onLost?.();
    lost(error);
  });
  // A "disconnect" follows every fatal "error" and is handled below.
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

/** Resolves when the promise settles, or after `ms`. Never rejects. */
export async function withinMs(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([promise.catch(() => undefined), timeout]);
  clearTimeout(timer);
}

/** Adds the heartbeat: a frozen server's connection ends after two missed ones. */
export function withHeartbeat(text: string): string {
  const url = new URL(text);
  if (!url.searchParams.has("heartbeat"))
    url.searchParams.set("heartbeat", String(HEARTBEAT_SECONDS));
  return url.href;
}
