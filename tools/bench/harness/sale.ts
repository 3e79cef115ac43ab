import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Config, type Environment, readConfig } from "../../../config/index.ts";
import { readAccessKeys, signingKeyOf } from "../../../lib/auth/key-store.ts";
import { type Database, openDatabase } from "../../../lib/database/pool.ts";
import { HEAP_FLAGS } from "../../../lib/observability/gc-tuning.ts";
import { createAccessTokenSigner } from "../../../lib/auth/access-token.ts";
import type { RunningNode } from "../../../main.ts";
import type { Contender } from "./contenders.ts";

/** Hits of the search layers of a node. */
export type Layers = RunningNode["layers"];

export type BenchEngine = {
  process: ChildProcess;
  url: string;
  /** Hits of the search layers so far. */
  layers(): Promise<Layers>;
  stop(): Promise<void>;
};

const PLACES = 50_000_000;
const DRAIN_MAX_MS = 60_000;

export type Sale = { environment: Environment; config: Config; database: Database };

/**
 * Raises the limit per customer, because one buyer buys thousands of times. The limit is still
 * checked.
 */
export function openSale(environment: Environment, folder: string): Sale {
  const engineEnvironment = {
    ...environment,
    PORT: "0",
    // The load comes as from a proxy on this machine.
    TRUSTED_PROXIES: "127.0.0.1",
    TICKETS_PER_CUSTOMER_MAX: "10000",
    RATE_LIMITS: "off",
    LOG_LEVEL: "error",
    AUDIT_FILE: join(environment.DATA_DIR ?? folder, "audit.log"),
    NODE_ID: "bench",
  };
  const config = readConfig(engineEnvironment);
  return {
    environment: engineEnvironment,
    config,
    database: openDatabase(config.databaseUrl ?? "", "long"),
  };
}

/** `profileFolder`: gets a CPU profile when the engine stops. */
export async function startBenchEngine(
  { environment }: Pick<Sale, "environment">,
  contender: Contender = "worker",
  profileFolder?: string,
): Promise<BenchEngine> {
  const engine = fork(fileURLToPath(new URL("engine.ts", import.meta.url)), [contender], {
    env: environment,
    execArgv: [
      ...HEAP_FLAGS,
      ...(profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`]),
    ],
  });
  const ended = once(engine, "exit").then(([code]) => {
    throw new Error(`The engine ended with ${String(code)} before it was up`);
  });
  const [{ url }] = (await Promise.race([once(engine, "message"), ended])) as [{ url: string }];
  ended.catch(() => undefined);
  return {
    process: engine,
    url,
    async layers() {
      engine.send("layers");
      const [{ layers }] = (await once(engine, "message")) as [{ layers: Layers }];
      return layers;
    },
    async stop() {
      engine.send("stop");
      await once(engine, "exit");
    },
  };
}

/** Creates accounts and returns their access tokens. */
export async function makeBuyers({ database, config }: Sale, count: number): Promise<string[]> {
  const userIds = Array.from({ length: count }, () => randomUUID());
  await database.query({
    text: `
      INSERT INTO user_account (id, email, email_key, name, password_hash)
      SELECT id, id || '@example.com', id || '@example.com', 'Buyer', ''
      FROM unnest($1::uuid[]) AS id`,
    values: [userIds],
  });
  const sign = createAccessTokenSigner(
    signingKeyOf(readAccessKeys(config.accessTokenKeysDir), Date.now()).privateKey,
  );
  return userIds.map((userId) => sign({ userId, role: "customer", sessionId: randomUUID() }));
}

/** Puts an event on sale. By default it does not sell out. */
export async function newEvent(database: Database, places = PLACES): Promise<string> {
  const id = randomUUID();
  await database.query({
    text: `
      INSERT INTO event (id, name, name_key, type, type_key, location, location_key, date,
        start_time, end_time, duration, time_zone, starts_at, ends_at, total_capacity, capacity,
        source, source_id)
      VALUES ($1, 'On sale', 'on sale', 'concert', 'concert', 'Berlin', 'berlin', '2099-01-01',
        '20:00', '22:00', 120, 'Europe/Berlin', '2099-01-01 19:00Z', '2099-01-01 21:00Z', $2, $2,
        'bench', $3)`,
    values: [id, places, id],
  });
  return id;
}

/** One event or several. */
export type Events = string | readonly string[];

/** Number of active tickets of the events. */
export async function ticketsOf(database: Database, events: Events): Promise<number> {
  const [row] = await database.query<{ count: number }>({
    text:
      "SELECT count(*)::float8 AS count FROM event_tickets " +
      "WHERE event_id = ANY ($1::uuid[]) AND cancelled_at IS NULL",
    values: [[events].flat()],
  });
  return row?.count ?? 0;
}

/** Waits until sales have stopped. A purchase whose answer was lost may still be in flight. */
export async function settled(database: Database, events: Events): Promise<void> {
  for (let before = -1, now = await ticketsOf(database, events); now !== before;) {
    await wait(500);
    [before, now] = [now, await ticketsOf(database, events)];
  }
}

/** Milliseconds until no pending row is left. */
export async function drained(database: Database, events: Events): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    const text =
      "SELECT 1 FROM event_ticket_transactions WHERE event_id = ANY ($1::uuid[]) LIMIT 1";
    const rows = await database.query({ text, values: [[events].flat()] });
    if (rows.length === 0) return performance.now() - startMs;
    if (performance.now() - startMs > DRAIN_MAX_MS)
      throw new Error("The ledger did not catch up within a minute");
    await wait(20);
  }
}
