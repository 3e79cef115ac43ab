import pg, { type ClientBase, type QueryResultRow } from "pg";
import { Sequelize } from "sequelize";
import { urlsByHost } from "../../config/index.ts";
import { type Answer, refused } from "../../domain/refusal.ts";
import { withTimeout } from "../concurrency/clock.ts";
import { withRequestId } from "../ids.ts";
import { hostHooks } from "./hosts.ts";
import { type Ask, leavingReadOnly } from "./read-only.ts";
import { noteNoAnswer, noteServerError } from "./server-troubles.ts";
import { LONG_LIMITS, raiseLimits, RESET_LIMITS, type SessionLimits } from "./session-settings.ts";

/**
 * `sale`: reads and writes of customers, which must fail fast. `worker`: the same in a pool of its
 * own (a bulkhead), so that reads cannot delay sales. `long`: ledger, import and reconcile, which
 * may take a minute. See ADR: Separate connection pools for workers.
 */
export type Profile = "sale" | "worker" | "long";

/**
 * `acquireMs`: time that a caller waits for a connection. `connectMs`: time that opening one may
 * take. It is clearly longer: a busy server opens connections slowly, and the next caller gets what
 * this one waited for. With equal limits, every connection would be given up when it is almost
 * open, again and again. `answerMs`: time after which the client gives up, after PostgreSQL's own
 * limit (1.5 s) and before a buyer hears OUTCOME_UNKNOWN (2 s). `raised`: limits that each
 * transaction raises; otherwise those of the role hold.
 */
type Pool = {
  poolMax: number;
  acquireMs: number;
  connectMs: number;
  answerMs: number;
  raised?: SessionLimits;
};
const SALE: Pool = { poolMax: 10, acquireMs: 1_000, connectMs: 5_000, answerMs: 1_750 };
export const PROFILES: Readonly<Record<Profile, Pool>> = {
  sale: SALE,
  worker: { ...SALE, poolMax: 5 },
  long: {
    poolMax: 6,
    acquireMs: 10_000,
    connectMs: 20_000,
    answerMs: 65_000,
    raised: LONG_LIMITS,
  },
};

export type PoolOptions = {
  /** Wraps every query; such a pool is not shared with others. */
  wrap?: Wrap | undefined;
  /** Connections at most, if fewer than the profile's. */
  poolMax?: number | undefined;
  /**
   * True: a pooler in transaction mode is between. A statement then has no name, and no statement
   * changes its session.
   */
  pooler?: boolean | undefined;
};

/** SQL with a `name` is prepared once per connection. Names must be unique per text. */
export type Statement = { name?: string; text: string; values?: unknown[] };

export type Connection = {
  /** Rejects with pg's DatabaseError (`code` is the SQLSTATE) or the connection's error. */
  query<Row extends QueryResultRow>(statement: Statement): Promise<Row[]>;
};

export type Database = Connection & {
  /** For moleculer-db's adapter and its models. */
  sequelize: Sequelize;
  /** Runs `work` on one connection, without a transaction. */
  withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
  /** Runs `work` in a transaction (READ COMMITTED by default). Rolls back if it throws. */
  transaction<T>(
    work: (connection: Connection) => Promise<T>,
    isolation?: "REPEATABLE READ",
  ): Promise<T>;
  /**
   * Runs one statement that cannot be in a transaction and may take a minute: VACUUM. Behind a
   * pooler it does nothing, and autovacuum does the work later.
   */
  maintain(text: string): Promise<void>;
  /** Connections in use, idle connections, and callers that wait for one. */
  load(): { used: number; idle: number; waiting: number };
  /** Closes the pool with its last user. */
  close(): Promise<void>;
};

/** Tells whether PostgreSQL itself answered this error: the statement has not committed. */
export function isServerError(error: unknown): error is Error & { code: string } {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
  // 57P01–57P03 and 08… come with the end of the connection, so the outcome is unknown. Codes such
  // as EPIPE are the system's.
  return typeof code === "string" && /^(?!08|57P|E)[0-9A-Z]{5}$/.test(code);
}

/** The pool, which Sequelize's types leave out. */
type WithPool = { pool: { using: number; available: number; waiting: number } };

/** Wraps every query of a pool. */
export type Wrap = (ask: Ask) => Ask;

/**
 * Listens for a connection's errors from the start; Sequelize does so too late, and an early error
 * would end the process. Every query of the pool passes here and gets its request's id.
 */
function listeningClient({ wrap, pooler }: PoolOptions) {
  return class ListeningClient extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super(config);
      this.on("error", () => undefined);
      const query = this.query.bind(this) as Ask;
      const ask: Ask = leavingReadOnly(this, (first, ...rest) =>
        query(withRequestId(pooler === true ? withoutName(first) : first), ...rest),
      );
      this.query = (wrap === undefined ? ask : wrap(ask)) as typeof this.query;
    }
  };
}

/** A statement prepared by one client of the pooler is unknown to the session of the next. */
const withoutName = (first: unknown): unknown =>
  typeof first === "object" ? { ...first, name: undefined } : first;

const pools = new Map<string, { sequelize: Sequelize; users: number }>();

function sharedPool(key: string, url: string, profile: Profile, options: PoolOptions): Sequelize {
  const known = pools.get(key);
  if (known !== undefined) {
    known.users += 1;
    return known.sequelize;
  }
  const { poolMax, acquireMs, connectMs, answerMs } = PROFILES[profile];
  const max = Math.min(poolMax, options.poolMax ?? poolMax);
  const sequelize = new Sequelize(urlsByHost(url)[0] ?? url, {
    dialect: "postgres",
    dialectModule: { ...pg, Client: listeningClient(options) },
    logging: false,
    pool: { max, min: 1, acquire: acquireMs, idle: 30_000 },
    hooks: hostHooks(url),
    dialectOptions: {
      application_name: `boxoffice-${profile}`,
      keepAlive: true,
      connectionTimeoutMillis: connectMs,
      query_timeout: answerMs,
    },
  });
  pools.set(key, { sequelize, users: 1 });
  return sequelize;
}

async function releasePool(key: string): Promise<void> {
  const known = pools.get(key);
  if (known === undefined) return;
  known.users -= 1;
  if (known.users > 0) return;
  pools.delete(key);
  await known.sequelize.close();
}

/**
 * Opens or shares the process's pool for a server and profile. Connects at the first query. Each
 * session has its role's time-outs, so a frozen server blocks no caller for longer. Wrapped queries
 * get a pool of their own.
 */
export function openDatabase(url: string, profile: Profile, options: PoolOptions = {}): Database {
  const { wrap, pooler = false, poolMax } = options;
  const key = JSON.stringify([profile, wrap !== undefined, pooler, poolMax, url]);
  const sequelize = sharedPool(key, url, profile, options);
  const { raised } = PROFILES[profile];
  const raise = raised === undefined ? "" : `; ${raiseLimits(raised, "LOCAL")}`;
  const manager = sequelize.connectionManager;
  const { pool } = manager as typeof manager & WithPool;
  let closed = false;

  const withConnection = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    const client = (await manager.getConnection({
      type: "write",
      useMaster: true,
    })) as ClientBase;
    let broken = false;
    const connection: Connection = {
      async query<Row extends QueryResultRow>(statement: Statement) {
        try {
          return (await client.query<Row>(statement)).rows;
        } catch (error) {
          if (isServerError(error)) noteServerError(url, error.code, error.message);
          else {
            broken = true;
            noteNoAnswer(url, error);
          }
          throw error;
        }
      },
    };
    try {
      return await work(connection);
    } finally {
      // A connection without an answer may still run the statement, so it is not reused.
      // pg closes the socket of a client that still waits for an answer.
      if (broken) void manager.destroyConnection(client).catch(() => undefined);
      else manager.releaseConnection(client);
    }
  };

  const transaction: Database["transaction"] = (work, isolation) =>
    withConnection(async (connection) => {
      const begin = `BEGIN ISOLATION LEVEL ${isolation ?? "READ COMMITTED"}`;
      await connection.query({ text: begin + raise });
      try {
        const result = await work(connection);
        await connection.query({ text: "COMMIT" });
        return result;
      } catch (error) {
        await connection.query({ text: "ROLLBACK" }).catch(() => undefined);
        throw error;
      }
    });

  return {
    sequelize,
    withConnection,
    transaction,
    load: () => ({
      used: pool.using,
      idle: pool.available,
      waiting: pool.waiting,
    }),
    query: (statement) =>
      (raised === undefined ? withConnection : transaction)((connection) =>
        connection.query(statement),
      ),
    maintain: (text) =>
      pooler
        ? Promise.resolve()
        : withConnection(async (connection) => {
            await connection.query({ text: raiseLimits(LONG_LIMITS, "SESSION") });
            try {
              await connection.query({ text });
            } finally {
              await connection.query({ text: RESET_LIMITS });
            }
          }),
    async close() {
      if (closed) return;
      closed = true;
      await releasePool(key);
    },
  };
}

/** Callers get an answer within a second while PostgreSQL is down or frozen. */
const PATIENCE_TIMEOUT_MS = 900;

/**
 * SQLSTATE classes of a server that cannot serve now: resources (53), operator intervention (57),
 * lock time-out (55P03), a read-only server (25006: a standby, or an operator has said so), damaged
 * pages (XX001, XX002: until an operator has mended them).
 */
const NOT_NOW = /^(?:53...|57...|55P03|25006|XX00[12])$/;

/**
 * True if a statement failed because PostgreSQL is down, starting, full, damaged or too slow, and
 * not because it is wrong. A read may then be answered with TRY_AGAIN.
 */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name.startsWith("SequelizeConnection") || error.name === "SequelizeTimeoutError")
    return true;
  const original = (error as { original?: unknown }).original;
  const cause =
    error.name === "SequelizeDatabaseError" && original instanceof Error ? original : error;
  return isServerError(cause)
    ? NOT_NOW.test(cause.code)
    : cause !== error || isConnectionError(cause);
}

/**
 * Runs a read, or refuses with TRY_AGAIN if PostgreSQL does not answer in time. Always true for a
 * read, which changes nothing. Idempotent writes may use it with a longer `patienceMs`.
 */
export async function orRetryLater<T>(
  read: () => Promise<Answer<T>>,
  patienceMs = PATIENCE_TIMEOUT_MS,
): Promise<Answer<T>> {
  try {
    return (await withTimeout(read(), patienceMs)) ?? refused("TRY_AGAIN");
  } catch (error) {
    if (isUnavailable(error)) return refused("TRY_AGAIN");
    throw error;
  }
}

/** Matches what pg and its socket report if no answer comes. */
function isConnectionError(error: Error & { code?: unknown }): boolean {
  const code = typeof error.code === "string" ? error.code : "";
  return (
    /^(?:08...|57P..|E[A-Z]{3,})$/.test(code) ||
    /^(?:Connection terminated|Query read timeout|timeout e|Client has)/i.test(error.message)
  );
}
