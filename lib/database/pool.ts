import pg, { type ClientBase, type QueryResultRow } from "pg";
import { Sequelize } from "sequelize";
import { withRequestId } from "./request-context.ts";
import { LONG_LIMITS, raiseLimits, RESET_LIMITS, type SessionLimits } from "./session-settings.ts";

/**
 * `sale`: reads and writes of customers, which must fail fast. `worker`: the same in a pool of its
 * own (a bulkhead), so that reads cannot delay sales. `long`: ledger, import and reconcile, which
 * may take a minute. See ADR: Separate connection pools for workers.
 */
export type Profile = "sale" | "worker" | "long";

/**
 * `answerMs`: time after which the client gives up, a little after PostgreSQL's own limit.
 * `raised`: limits that each transaction raises; otherwise those of the role hold.
 */
type Pool = { poolMax: number; answerMs: number; acquireMs: number; raised?: SessionLimits };
export const PROFILES: Readonly<Record<Profile, Pool>> = {
  sale: { poolMax: 10, answerMs: 2_000, acquireMs: 1_000 },
  worker: { poolMax: 5, answerMs: 2_000, acquireMs: 1_000 },
  long: { poolMax: 6, answerMs: 65_000, acquireMs: 10_000, raised: LONG_LIMITS },
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

type PooledClient = ClientBase & { _invalid?: boolean };
/** Parts of Sequelize's connection manager that its types leave out. */
type ConnectionManager = {
  getConnection(options: { type: "write"; useMaster: true }): Promise<PooledClient>;
  releaseConnection(client: PooledClient): void;
  pool: { destroy(client: PooledClient): void; using: number; available: number; waiting: number };
};

/** pg's query function: a text or statement, perhaps values, perhaps a callback, else a promise. */
export type Ask = (first: unknown, ...rest: unknown[]) => unknown;
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
      const ask: Ask = (first, ...rest) =>
        query(withRequestId(pooler === true ? withoutName(first) : first), ...rest);
      this.query = (wrap === undefined ? ask : wrap(ask)) as typeof this.query;
    }
  };
}

/** A statement prepared by one client of the pooler is unknown to the session of the next. */
function withoutName(first: unknown): unknown {
  return typeof first === "object" && first !== null && "name" in first
    ? { ...first, name: undefined }
    : first;
}

const pools = new Map<string, { sequelize: Sequelize; users: number }>();

function sharedPool(key: string, url: string, profile: Profile, options: PoolOptions): Sequelize {
  const known = pools.get(key);
  if (known !== undefined) {
    known.users += 1;
    return known.sequelize;
  }
  const { poolMax, answerMs, acquireMs } = PROFILES[profile];
  const max = Math.min(poolMax, options.poolMax ?? poolMax);
  const sequelize = new Sequelize(url, {
    dialect: "postgres",
    dialectModule: { ...pg, Client: listeningClient(options) },
    logging: false,
    pool: { max, min: 1, acquire: acquireMs, idle: 30_000 },
    dialectOptions: {
      application_name: `boxoffice-${profile}`,
      keepAlive: true,
      connectionTimeoutMillis: 1_000,
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
  const manager = sequelize.connectionManager as unknown as ConnectionManager;
  let closed = false;

  const withConnection = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    const client = await manager.getConnection({ type: "write", useMaster: true });
    let broken = false;
    const connection: Connection = {
      async query<Row extends QueryResultRow>(statement: Statement) {
        try {
          return (await client.query<Row>(statement)).rows;
        } catch (error) {
          broken ||= !isServerError(error);
          throw error;
        }
      },
    };
    try {
      return await work(connection);
    } finally {
      // A connection without an answer may still run the statement, so it is not reused.
      if (broken) discard(manager, client);
      else manager.releaseConnection(client);
    }
  };

  const transaction: Database["transaction"] = (work, isolation) =>
    withConnection(async (connection) => {
      const begin = `BEGIN ISOLATION LEVEL ${isolation ?? "READ COMMITTED"}`;
      await connection.query({
        text: raised ? `${begin}; ${raiseLimits(raised, "LOCAL")}` : begin,
      });
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
      used: manager.pool.using,
      idle: manager.pool.available,
      waiting: manager.pool.waiting,
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

function discard(manager: ConnectionManager, client: PooledClient): void {
  if (client._invalid === true) return;
  client._invalid = true;
  (
    client as unknown as { connection?: { stream?: { destroy(): void } } }
  ).connection?.stream?.destroy();
  try {
    manager.pool.destroy(client);
  } catch {
    // The pool dropped it already when the socket closed.
  }
}
