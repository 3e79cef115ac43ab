import { type Middleware, Transporters } from "moleculer";
import { reasonOf } from "../observability/connection-reason.ts";
import { withTimeout } from "../concurrency/clock.ts";

/** What is used of the NATS client under Moleculer's transporter. */
type NatsClient = {
  flush(): Promise<void>;
  close(): Promise<void>;
  isClosed(): boolean;
  status(): AsyncIterable<{ type: string }>;
};
/** What Moleculer's types leave out. */
type Transporter = {
  client: NatsClient | null;
  logger?: { warn(message: string): void };
  connect(): Promise<void>;
  disconnect(): Promise<void> | undefined;
};
const NatsTransporter = Transporters.NATS as unknown as new (
  options: Record<string, unknown>,
) => Transporter;

const PROBE_MS = 500;
/** NATS answers a ping within a millisecond; one that takes so long is frozen or gone. */
const SILENCE_TIMEOUT_MS = 1_000;
const GOODBYE_MS = 1_000;

export type BusLink = {
  /** For the broker's options; see `isSilent`. */
  transporter: Transporters.Base;
  /**
   * Fails calls to other nodes at once while NATS is silent, and the calls in flight with them.
   * Local calls are not affected.
   */
  middleware: Middleware;
};

/**
 * Connects the node to others over NATS. Moleculer publishes into a dead connection without an
 * error and then waits for each call's time-out. The NATS client notices a frozen server after four
 * seconds. So NATS is pinged twice a second here. Both reconnect by themselves.
 */
export function openBusLink(options: Record<string, unknown>): BusLink {
  const waiting = new Set<(error: Error) => void>();
  let silent = false;
  /**
   * By Moleculer's clock, whole seconds of process uptime. A node whose heartbeat is at least as
   * new is reachable again.
   */
  let heardSinceS = 0;
  let probing: NodeJS.Timeout | undefined;

  const become = (now: boolean): void => {
    silent = now;
    if (!silent) return;
    for (const reject of waiting)
      reject(fault("REQUEST_TIMEOUT", "NATS went silent during the call"));
    waiting.clear();
  };
  const probe = async (client: NatsClient): Promise<void> => {
    const pong = client.flush().then(
      () => true,
      () => false,
    );
    const answered = await withTimeout(pong, SILENCE_TIMEOUT_MS);
    become(answered !== true);
    // Wait for the same ping: NATS answers it as soon as the connection works again.
    if (answered === undefined) become(!(await pong));
  };

  /**
   * Fails the calls in flight when the connection is lost, even if it is back before the next ping.
   */
  const follow = async (client: NatsClient): Promise<void> => {
    for await (const { type } of client.status()) {
      if (type === "disconnect") become(true);
      if (type !== "reconnect") continue;
      heardSinceS = Math.round(process.uptime()) + 1;
      become(false);
    }
  };

  class WatchedNats extends NatsTransporter {
    readonly isSilent = (): boolean => silent;
    #reason: string | undefined;
    override async connect(): Promise<void> {
      await super.connect().catch((error: unknown) => {
        // Moleculer's lines leave the reason out, and repeat with each try.
        const reason = `NATS is down: ${reasonOf(error as Error)}`;
        if (reason !== this.#reason) this.logger?.warn(reason);
        this.#reason = reason;
        throw error;
      });
      this.#reason = undefined;
      const { client } = this;
      const next = (): void => {
        if (client === null || client.isClosed()) return;
        probing = setTimeout(() => void probe(client).then(next), PROBE_MS).unref();
      };
      next();
      if (client !== null) void follow(client).catch(() => undefined);
    }
    /**
     * The original waits without limit for NATS to answer. A node must be able to stop while NATS
     * is down.
     */
    override async disconnect(): Promise<void> {
      clearTimeout(probing);
      const { client } = this;
      if (client === null) return;
      await withTimeout(
        client.flush().catch(() => undefined),
        GOODBYE_MS,
      );
      await withTimeout(
        client.close().catch(() => undefined),
        GOODBYE_MS,
      );
      this.client = null;
    }
  }

  return {
    transporter: new WatchedNats(options) as unknown as Transporters.Base,
    middleware: {
      name: "BusLink",
      remoteAction(next) {
        return function overTheBus(this: unknown, ctx) {
          // NATS drops messages without a subscriber. After its restart a node is unreachable until
          // its next heartbeat, a second later.
          const { id: nodeID, lastHeartbeatTime = Infinity } = (ctx.endpoint?.node ?? {}) as {
            id?: string;
            lastHeartbeatTime?: number;
          };
          if (silent || lastHeartbeatTime < heardSinceS)
            return Promise.reject(
              fault(
                "SERVICE_NOT_AVAILABLE",
                "NATS is silent, or the node has sent no heartbeat since",
                nodeID,
              ),
            ) as never;
          return new Promise((resolve, reject) => {
            waiting.add(reject);
            (next.call(this as never, ctx) as unknown as Promise<unknown>)
              .then(resolve, reject)
              .finally(() => waiting.delete(reject));
          }) as never;
        };
      },
    },
  };
}

/**
 * Callers judge the error by `type`, like Moleculer's own errors: a class does not survive the bus.
 */
function fault(type: string, message: string, nodeID?: string): Error {
  return Object.assign(new Error(message), { type, code: 503, data: { nodeID } });
}
