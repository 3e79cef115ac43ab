import { Redis } from "ioredis";

export type RedisClient = Redis & {
  /**
   * run_id of the connected server; undefined without a connection. Copies of other runs are
   * untrusted.
   */
  runId(): string | undefined;
};

/**
 * Opens a connection on which commands fail within 0.5 s if Redis is down, frozen or not connected.
 * Reconnects forever. `warn` is called once per loss.
 */
export function openRedis(url: string, warn: (message: string) => void): RedisClient {
  const client = new Redis(url, {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    commandTimeout: 500,
    // End a frozen server's connection: commands would fill the memory and each wait for the
    // time-out. Without a connection they fail at once.
    socketTimeout: 1_000,
    connectTimeout: 1_000,
    disableClientInfo: true,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(50 * attempt, 1_000),
  });
  let runId: string | undefined;
  let lost = false;
  client.on("ready", () => {
    lost = false;
    // First command of the connection: the run_id is known before any later reply.
    client.info("server").then(
      (text) => (runId = /^run_id:(\w+)/m.exec(text)?.[1]),
      () => client.disconnect(true),
    );
  });
  client.on("close", () => (runId = undefined));
  client.on("error", (error) => {
    if (!lost) warn(`Redis is down: ${error.message}`);
    lost = true;
  });
  return Object.assign(client, { runId: () => runId });
}

type Script = (...args: (string | number)[]) => Promise<unknown>;

/**
 * Runs a script by its hash, and sends its text if the server does not know it. `name` must be
 * unique.
 */
export function runScript(
  client: Redis,
  name: string,
  lua: string,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  if (!(name in client)) client.defineCommand(name, { lua });
  return (Reflect.get(client, name) as Script).call(client, keys.length, ...keys, ...args);
}

/** Waits at start for the connection, at most `withinMs`. False: start degraded, without Redis. */
export async function whenReady(client: Redis, withinMs: number): Promise<boolean> {
  if (client.status === "ready") return true;
  return new Promise((resolve) => {
    const timer = setTimeout(() => settle(false), withinMs);
    const ready = (): void => settle(true);
    const settle = (result: boolean): void => {
      clearTimeout(timer);
      client.off("ready", ready);
      resolve(result);
    };
    client.once("ready", ready);
  });
}
