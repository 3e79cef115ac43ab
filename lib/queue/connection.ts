import { type ChannelModel, connect, type RecoveringChannelModel } from "amqplib";
import { reasonOf } from "../observability/connection-reason.ts";
import { withTimeout } from "../concurrency/clock.ts";

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
  /** PEM: signs the certificate of an amqps:// server, else an authority that Node trusts. */
  ca?: string | undefined;
  log: Log;
  /**
   * Runs at each connection, before it counts as connected. Creates channels, topology and
   * consumers anew.
   */
  setup(model: ChannelModel): Promise<void>;
  onLost?(): void;
  /** `reason`: in the words of RabbitMQ. */
  onBlocked?(reason: string): void;
  onUnblocked?(): void;
};

/**
 * Opens a connection to RabbitMQ that reconnects by itself without limit. Never rejects and never
 * waits: a node starts while RabbitMQ is down. Heartbeats detect a frozen server within 15 s. A
 * loss is logged once.
 *
 * Publisher and consumer need connections of their own: a server that blocks publishers stops
 * reading from their connection, acknowledgements included.
 */
export async function openQueueConnection(
  options: QueueConnectionOptions,
): Promise<QueueConnection> {
  const { log } = options;
  let model: ChannelModel | undefined;
  let announced: "connected" | "lost" | undefined;
  const lost = (error: Error): void => {
    if (announced !== "lost") log.warn(`RabbitMQ is down: ${reasonOf(error)}`);
    announced = "lost";
  };

  const setup = async (fresh: ChannelModel): Promise<void> => {
    // Until setup is done amqplib has no listeners of its own: an error would end the process, a
    // close would go unnoticed.
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
    ...(options.ca === undefined ? {} : { ca: options.ca }),
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
  // Each fatal close emits "error" and then "disconnect", which handles it.
  recovering.on("error", () => undefined);
  recovering.on("handler-error", (error: Error) =>
    log.error(`A queue handler threw: ${error.stack ?? error.message}`),
  );
  recovering.on("blocked", (reason) => options.onBlocked?.(reason));
  recovering.on("unblocked", () => options.onUnblocked?.());

  return {
    connected: () => model !== undefined,
    breakOff() {
      model?.close().catch(() => undefined);
    },
    async close() {
      await closeWithin(recovering.close(), CLOSE_MS);
    },
  };
}

/** Waits for a polite end, `ms` at most. Never rejects. */
export async function closeWithin(end: Promise<unknown>, ms: number): Promise<void> {
  await withTimeout(
    end.catch(() => undefined),
    ms,
  );
}

/** Adds the heartbeat: a frozen server's connection ends after two missed ones. */
export function withHeartbeat(text: string): string {
  const url = new URL(text);
  if (!url.searchParams.has("heartbeat"))
    url.searchParams.set("heartbeat", String(HEARTBEAT_SECONDS));
  return url.href;
}
