import { fork, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Environment, readConfig } from "../config.ts";
import { type Database, openDatabase } from "../mixins/database.ts";
import { readAccessKeys, signingKeyOf } from "../mixins/access-keys.ts";
import { createAccessTokenSigner } from "../mixins/tokens.ts";
import { CONTENDERS, type Contender } from "./contenders.ts";
import { buyAtOnce, type LoadResult } from "./load.ts";
import { cpuMs, peakMemoryMb } from "./process-figures.ts";

export type HotEventOptions = { contenders: Contender[]; buyers: number; seconds: number; folder: string; profile: boolean };
export type HotEventResult = LoadResult & {
  contender: Contender;
  sold: number;
  soldPerSecond: number;
  ticketsInPostgres: number;
  booked: number;
  /** Undefined for the baselines, which have no ledger to wait for. */
  ledgerDrainedMs: number | undefined;
  cpuMsPerSale: number;
  peakMemoryMb: number;
};

const WARM_UP_SECONDS = 3;
const PLACES = 50_000_000;
const DRAIN_MAX_MS = 60_000;

/** Sells one event to `buyers` concurrent buyers by each contender in turn, on the same servers, and checks after each that nothing is lost or invented. */
export async function hotEvent(
  environment: Environment,
  options: HotEventOptions,
  report: (line: string) => void,
): Promise<HotEventResult[]> {
  // A buyer of the benchmark buys thousands of times; the rule is still checked at each.
  const engineEnvironment = {
    ...environment,
    PORT: "0",
    TICKETS_PER_CUSTOMER_MAX: "10000",
    RATE_LIMITS: "off",
    LOG_LEVEL: "warn",
    AUDIT_FILE: join(environment.DATA_DIR ?? options.folder, "audit.log"),
    NODE_ID: "bench",
  };
  const config = readConfig(engineEnvironment);
  const database = openDatabase(config.databaseUrl ?? "", "long");
  const userIds = Array.from({ length: options.buyers }, () => randomUUID());
  await database.query({
    text: `INSERT INTO user_account (id, email, email_key, name, password_hash) SELECT id, id || '@example.com', id || '@example.com', 'Buyer', '' FROM unnest($1::uuid[]) AS id`,
    values: [userIds],
  });
  const sign = createAccessTokenSigner(signingKeyOf(readAccessKeys(config.accessTokenKeysDir), Date.now()).privateKey);
  const tokens = userIds.map((userId) => sign({ userId, role: "customer", sessionId: randomUUID() }));
  const tokensFile = join(options.folder, "tokens");
  writeFileSync(tokensFile, tokens.join("\n"), { mode: 0o600 });

  const results: HotEventResult[] = [];
  for (const contender of options.contenders) {
    const eventId = await newEvent(database);
    const engine = fork(fileURLToPath(new URL("engine.ts", import.meta.url)), [contender], {
      env: engineEnvironment,
      execArgv: options.profile && contender === "worker" ? ["--cpu-prof", `--cpu-prof-dir=${options.folder}`] : [],
    });
    try {
      const [{ url }] = (await once(engine, "message")) as [{ url: string }];
      const load = { url, path: `/api/events/${eventId}/tickets`, tokensFile, tokens, connections: options.buyers };
      report(`${CONTENDERS[contender]}: warming up`);
      await buyAtOnce({ ...load, seconds: WARM_UP_SECONDS });
      await settled(database, eventId);
      const ticketsBefore = await ticketsOf(database, eventId);
      const cpuBefore = cpuMs(engine);
      const result = await buyAtOnce({ ...load, seconds: options.seconds });
      const usedMs = cpuMs(engine) - cpuBefore;
      const ledgerDrainedMs = contender === "worker" ? await drained(database, eventId) : undefined;
      await settled(database, eventId);
      results.push(await check(database, eventId, contender, result, ticketsBefore, options.buyers, { usedMs, ledgerDrainedMs, engine }));
    } finally {
      engine.send("stop");
      await once(engine, "exit");
    }
  }
  await database.close();
  return results;
}

async function check(
  database: Database,
  eventId: string,
  contender: Contender,
  load: LoadResult,
  ticketsBefore: number,
  buyers: number,
  { usedMs, ledgerDrainedMs, engine }: { usedMs: number; ledgerDrainedMs: number | undefined; engine: ChildProcess },
): Promise<HotEventResult> {
  const sold = load.answers - load.refused;
  const ticketsInPostgres = await ticketsOf(database, eventId);
  const [row] = await database.query<{ booked: number }>({
    text: "SELECT (total_capacity - capacity)::float8 AS booked FROM event WHERE id = $1",
    values: [eventId],
  });
  const booked = row?.booked ?? 0;
  const fresh = ticketsInPostgres - ticketsBefore;
  // What was still under way when the generator left was sold without being counted: one purchase per connection at most.
  if (fresh < sold || fresh > sold + buyers) throw new Error(`${contender}: ${sold} answers of 201, but ${fresh} tickets in PostgreSQL`);
  if (booked !== ticketsInPostgres) throw new Error(`${contender}: ${ticketsInPostgres} tickets, but ${booked} places booked`);
  return {
    contender,
    ...load,
    sold,
    soldPerSecond: sold / load.seconds,
    ticketsInPostgres,
    booked,
    ledgerDrainedMs,
    cpuMsPerSale: usedMs / Math.max(1, sold),
    peakMemoryMb: peakMemoryMb(engine),
  };
}

async function newEvent(database: Database): Promise<string> {
  const id = randomUUID();
  await database.query({
    text: `
      INSERT INTO event (id, name, name_key, type, type_key, location, location_key, date, start_time, end_time, duration, time_zone,
        starts_at, ends_at, total_capacity, capacity, source, source_id)
      VALUES ($1, 'On sale', 'on sale', 'concert', 'concert', 'Berlin', 'berlin', '2099-01-01', '20:00', '22:00', 120, 'Europe/Berlin',
        '2099-01-01 19:00Z', '2099-01-01 21:00Z', $2, $2, 'bench', $3)`,
    values: [id, PLACES, id],
  });
  return id;
}

async function ticketsOf(database: Database, eventId: string): Promise<number> {
  const [row] = await database.query<{ count: number }>({
    text: "SELECT count(*)::float8 AS count FROM event_tickets WHERE event_id = $1 AND cancelled_at IS NULL",
    values: [eventId],
  });
  return row?.count ?? 0;
}

/** Waits until nothing more is being sold: an answer lost with the generator may still be on its way. */
async function settled(database: Database, eventId: string): Promise<void> {
  for (let before = -1, now = await ticketsOf(database, eventId); now !== before;) {
    await wait(500);
    [before, now] = [now, await ticketsOf(database, eventId)];
  }
}

/** Milliseconds from the end of the run until no pending row is left. */
async function drained(database: Database, eventId: string): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    const rows = await database.query({ text: "SELECT 1 FROM event_ticket_transactions WHERE event_id = $1 LIMIT 1", values: [eventId] });
    if (rows.length === 0) return performance.now() - startMs;
    if (performance.now() - startMs > DRAIN_MAX_MS) throw new Error("The ledger did not catch up within a minute");
    await wait(20);
  }
}
