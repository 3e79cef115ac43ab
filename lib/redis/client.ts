import { Redis } from "ioredis";
import { reasonOf } from "../observability/connection-reason.ts";
import type { Troubles } from "../observability/troubles.ts";
import { watchMemory } from "./memory-watch.ts";

export type RedisClient = Redis & {
  /**
   * The server's run_id under the present connection. Undefined while disconnected. Only copies
   * that were written under it are trusted.
   */
  runId(): string | undefined;
};

/**
 * Opens a Redis connection, by TLS if the URL is rediss://. `ca` (PEM) then signs the server's
 * certificate, else an authority that Node trusts. Its commands fail within half a second if the
 * server is down, frozen or not yet connected. Reconnects by itself without limit. `warn` is called
 * once per loss, not at every attempt. `troubles` learns that the server refuses to write.
 */
export function openRedis(
  url: string,
  warn: (message: string) => void,
  ca?: string,
  troubles?: Troubles,
): RedisClient {
  const client = new Redis(url, {
    ...(url.startsWith("rediss:") && ca !== undefined ? { tls: { ca } } : {}),
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    commandTimeout: 500,
    // End the connection of a frozen server: its pending commands would fill the memory, and each
    // would delay its caller by half a second. Without a connection commands fail at once.
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
    if (!lost) warn(`Redis is down: ${reasonOf(error)}`);
    lost = true;
  });
  if (troubles !== undefined) watchMemory(client, troubles);
  return Object.assign(client, { runId: () => runId });
}

type Script = (...args: (string | number)[]) => Promise<unknown>;

/** `name` must be unique per script. */
export type ScriptCall = {
  name: string;
  lua: string;
  keys: readonly string[];
  args: readonly (string | number)[];
};

/**
 * Runs scripts by their hashes, in one pipeline; the server gets a text only if it does not know
 * it. Rejects if one of them fails, as any command does.
 */
export async function runScripts(
  client: Redis,
  calls: readonly ScriptCall[],
): Promise<readonly unknown[]> {
  const run = (on: object, { name, keys, args }: ScriptCall): Promise<unknown> =>
    (Reflect.get(on, name) as Script).call(on, keys.length, ...keys, ...args);
  for (const { name, lua } of calls) if (!(name in client)) client.defineCommand(name, { lua });
  const [first] = calls;
  if (calls.length === 1 && first !== undefined) return [await run(client, first)];
  const pipeline = client.pipeline();
  for (const call of calls) void run(pipeline, call);
  const results = (await pipeline.exec()) ?? [];
  return results.map(([error, result]) => {
    if (error !== null) throw error;
    return result;
  });
}

/**
 * Waits at most `withinMs` for the connection. False if Redis is down: the engine then starts
 * degraded.
 */
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
