import pg from "pg";
import { addressOf, urlsByHost } from "../../config/index.ts";
import { withTimeout } from "../concurrency/clock.ts";
import { shareReading } from "../concurrency/shared-reading.ts";

/** A server that takes longer to answer is away. A busy one opens connections slowly. */
const LOOK_TIMEOUT_MS = 3_000;
/** After the first server that takes writes, the others have this long to be newer. */
const OTHERS_TIMEOUT_MS = 200;
/** A choice is reused for this long: a pool opens its connections at once. */
const FRESH_MS = 500;
/** SQLSTATE cannot_connect_now: callers hear it as a server that is away. */
const CANNOT_CONNECT_NOW = "57P03";

type Writable = { url: string; timeline: number };

/** A standby has no timeline of its own. Each promotion begins a new one. */
const LOOK = `
  SELECT current_setting('transaction_read_only')::boolean AS "readOnly",
    CASE WHEN NOT pg_is_in_recovery() THEN
      ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::integer
    END AS timeline`;

/**
 * Returns a function that chooses, of the servers of a URL, the one that takes writes (libpq's
 * `target_session_attrs=read-write`, which pg does not have). Asks all of them at once. Of two, the
 * newer timeline wins, and a timeline older than one seen before is never chosen: it is a primary
 * that came back after its standby was promoted. Rejects with SQLSTATE 57P03 if none takes writes.
 * Undefined for a URL of one server: there is no choice.
 */
export function createHostChooser(url: string): (() => Promise<string>) | undefined {
  const urls = urlsByHost(url);
  if (urls.length === 1) return undefined;
  let newest = 0;
  return shareReading(async () => {
    const found: Writable[] = [];
    const looks = urls.map(async (one) => {
      const timeline = await timelineOf(one);
      if (timeline < newest) throw new Error(`is a primary of before (timeline ${timeline})`);
      found.push({ url: one, timeline });
    });
    try {
      await Promise.any(looks);
    } catch (error) {
      throw noneWrites(urls, error as AggregateError);
    }
    await withTimeout(Promise.allSettled(looks), OTHERS_TIMEOUT_MS);
    const chosen = found.reduce((one, other) => (other.timeline > one.timeline ? other : one));
    newest = chosen.timeline;
    return chosen.url;
  }, FRESH_MS);
}

/** Sequelize's hooks by which each new connection goes to the server that takes writes. */
export function hostHooks(url: string): { beforeConnect?(config: object): Promise<void> } {
  const choose = createHostChooser(url);
  if (choose === undefined) return {};
  return {
    async beforeConnect(config) {
      Object.assign(config, addressOf(await choose()));
    },
  };
}

/** Chooses once, for a client that is no pool. */
export async function writableUrl(url: string): Promise<string> {
  return (await createHostChooser(url)?.()) ?? url;
}

/** Rejects if the server is away, or takes no writes. */
async function timelineOf(url: string): Promise<number> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: LOOK_TIMEOUT_MS,
    query_timeout: LOOK_TIMEOUT_MS,
    application_name: "boxoffice-look",
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ readOnly: boolean; timeline: number | null }>(LOOK);
    const [{ readOnly, timeline } = { readOnly: true, timeline: null }] = rows;
    if (readOnly || timeline === null) throw new Error("is read-only");
    return timeline;
  } finally {
    // Not awaited: a frozen server would not answer it.
    void client.end().catch(() => undefined);
  }
}

function noneWrites(urls: readonly string[], { errors }: AggregateError): Error {
  const reasons = urls.map((url, index) => {
    const { host, port } = addressOf(url);
    return `${host}:${port} ${(errors[index] as Error).message}`;
  });
  const error = new Error(`no server of PostgreSQL takes writes: ${reasons.join("; ")}`, {
    cause: errors[0],
  });
  return Object.assign(error, { code: CANNOT_CONNECT_NOW });
}
