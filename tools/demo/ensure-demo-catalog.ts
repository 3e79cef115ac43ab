import { setTimeout as delay } from "node:timers/promises";
import type { ServiceBroker } from "moleculer";
import type { EventRecord } from "../../domain/event-record.ts";
import { type Config, requireServers } from "../../config/index.ts";
import type { Answer } from "../../domain/refusal.ts";
import { createInternalTokenMint } from "../../lib/auth/jwt.ts";
import { type Database, openDatabase, isUnavailable } from "../../lib/database/pool.ts";
import { type Report, secondsSince } from "../dev-servers/server-problem.ts";
import { demoEvents, OPERATOR } from "./demo-catalog.ts";

const COUNT = 3_000;
const DAYS = 270;
const BATCH = 500;
const IMPORT_TIMEOUT_MS = 60_000;
const RETRY_MS = 1_000;
/** Time without progress after which the rest is left to the next start. */
const GIVE_UP_MS = 120_000;

export type DemoOptions = {
  count?: number;
  /** The events are later than this. Default: now. */
  nowMs?: number;
  /** Stops the import early; the next start continues it. */
  signal?: AbortSignal | undefined;
};

/** `made`: events imported by this call. `complete`: false if the next start must continue. */
export type DemoResult = { made: number; complete: boolean };

/**
 * Fills an empty database with demo events, or completes a partly filled one, through the action
 * catalog.import. Leaves a database alone that has events of another source. Retries transient
 * errors, so that a busy machine makes the start slower but never fails it. Throws other errors.
 */
export async function ensureDemoCatalog(
  broker: Pick<ServiceBroker, "call">,
  config: Config,
  { count = COUNT, nowMs = Date.now(), signal }: DemoOptions = {},
): Promise<DemoResult> {
  const database = openDatabase(requireServers(config).databaseUrl, "sale");
  const mintToken = createInternalTokenMint(config.internalTokenSecret);
  const events = [...demoEvents(count, nowMs, DAYS)];
  let made = 0;
  let failingSinceMs: number | undefined;
  try {
    while (signal?.aborted !== true) {
      try {
        const missing = await missingEvents(database, events);
        if (missing.length === 0) return { made, complete: true };
        const importing = importBatch(broker, mintToken(OPERATOR), missing);
        made += await untilAborted(importing, signal);
        failingSinceMs = undefined;
      } catch (error) {
        if (!isTransient(error)) throw error;
        failingSinceMs ??= performance.now();
        if (performance.now() - failingSinceMs > GIVE_UP_MS) break;
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return { made, complete: false };
  } finally {
    await database.close();
  }
}

/** Does it through a running engine, and reports the result in a line. Returns `complete`. */
export async function demoCatalogThrough(
  broker: Pick<ServiceBroker, "call">,
  config: Config,
  report: Report,
  signal: AbortSignal,
): Promise<boolean> {
  const startedMs = performance.now();
  const { made, complete } = await ensureDemoCatalog(broker, config, { signal });
  if (made > 0) report(`added ${made} demo events to the catalog (${secondsSince(startedMs)})`);
  if (!complete) report("the demo catalog is not complete; the next start completes it");
  return complete;
}

/** Returns the demo events that the database lacks, or none if it has events of another source. */
async function missingEvents(
  database: Database,
  events: readonly EventRecord[],
): Promise<EventRecord[]> {
  const [foreign] = await database.query({
    text: "SELECT id FROM event WHERE source <> 'demo' LIMIT 1",
  });
  if (foreign !== undefined) return [];
  const rows = await database.query<{ sourceId: string }>({
    text: `SELECT source_id AS "sourceId" FROM event WHERE source = 'demo'`,
  });
  const stored = new Set(rows.map(({ sourceId }) => sourceId));
  return events.filter(({ sourceId }) => !stored.has(sourceId));
}

/** Imports the first events of `missing` and returns their number. */
async function importBatch(
  broker: Pick<ServiceBroker, "call">,
  token: string,
  missing: EventRecord[],
): Promise<number> {
  const batch = { records: missing.slice(0, BATCH), last: missing.length <= BATCH };
  const answer = await broker.call<Answer<{ outcomes: { outcome: string }[] }>, object>(
    "catalog.import",
    batch,
    { meta: { token }, timeout: IMPORT_TIMEOUT_MS },
  );
  if (!answer.ok) throw new ImportRefused(answer.refusal.code);
  const imported = answer.value.outcomes.filter(({ outcome }) => outcome === "imported").length;
  if (answer.value.outcomes.every(({ outcome }) => outcome === "refused"))
    throw new ImportRefused("every record of a batch");
  return imported;
}

/** Rejects with a transient error when `signal` aborts. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const aborted = new Promise<never>((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(new ImportRefused("TRY_AGAIN")), { once: true }),
  );
  return Promise.race([work, aborted]);
}

class ImportRefused extends Error {
  readonly retryable: boolean;
  constructor(code: string) {
    super(`The demo catalog was refused: ${code}`);
    this.retryable = code === "TRY_AGAIN";
  }
}

/** Tells whether a repetition can succeed: PostgreSQL or a node is down, starting or too slow. */
function isTransient(error: unknown): boolean {
  return isUnavailable(error) || (error as { retryable?: boolean }).retryable === true;
}
