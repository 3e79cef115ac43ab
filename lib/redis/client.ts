import { Redis } from "ioredis";

export type RedisClient = Redis & {
  /** The server's run_id under which the present connection speaks; undefined while there is none. A copy is trusted only if written under it. */
  runId(): string | undefined;
};

/**
 * A Redis connection that never makes anyone wait: a command fails within half a second when the server is away, frozen or not yet connected.
 * It reconnects by itself for ever. `warn` hears of a loss once, not at every attempt.
 */
export function openRedis(url: string, warn: (message: string) => void): RedisClient {
  const client = new Redis(url, {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    commandTimeout: 500,
    // A server that stays frozen would fill the memory with commands that wait for it, and keep whoever asks it several things in a row for half a
    // second each: its connection ends, after which commands fail at once.
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
    // The first command of the connection: every later reply is read with the run_id already known.
    client.info("server").then(
      (text) => (runId = /^run_id:(\w+)/m.exec(text)?.[1]),
      () => client.disconnect(true),
    );
  });
  client.on("close", () => (runId = undefined));
  client.on("error", (error) => {
    if (!lost) warn(`Redis is away: ${error.message}`);
    lost = true;
  });
  return Object.assign(client, { runId: () => runId });
}

type Script = (...args: (string | number)[]) => Promise<unknown>;

/** Runs a script on the server, which is sent it whole only where it does not know it yet. `name`: of this script alone. Rejects as any command does. */
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

/** Waits for the connection at start, at most `withinMs`; false when Redis is away: the engine starts degraded rather than not at all. */
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
