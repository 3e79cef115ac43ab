import pg, { type ClientBase, type QueryResultRow } from "pg";
import { Sequelize } from "sequelize";
import { withRequestId } from "./request-context.ts";

/**
 * `sale`: reads and writes of customers, which must fail fast. `worker`: the same in a pool of its
 * own (a bulkhead), so that reads cannot delay sales. `long`: ledger, import and reconcile, which
 * may take a minute. See ADR: Separate connection pools for workers.
 */
export type Profile = "sale" | "worker" | "long";

const FAST = {
  idleInTransactionMs: 1_000,
  lockMs: 1_000,
  statementMs: 2_000,
  answerMs: 2_500,
  acquireMs: 1_000,
};
const PROFILES = {
  sale: { poolMax: 10, ...FAST },
  worker: { poolMax: 5, ...FAST },
  long: {
    poolMax: 6,
    idleInTransactionMs: 60_000,
    lockMs: 60_000,
    statementMs: 60_000,
    answerMs: 65_000,
    acquireMs: 10_000,
  },
} as const;

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

/** pg's query function: a text or statement, perhaps values, perhaps a callback, else a promise. */
export type Ask = (first: unknown, ...rest: unknown[]) => unknown;
/** Wraps every query of a pool. */
export type Wrap = (ask: Ask) => Ask;

/**
 * Listens for a connection's errors from the start; Sequelize does so too late, and an early error
 * would end the process. Every query of the pool passes here and gets its request's id.
 */
function listeningClient(wrap: Wrap | undefined) {
  return class ListeningClient extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super(config);
      this.on("error", () => undefined);
      const query = this.query.bind(this) as Ask;
      const ask: Ask = (first, ...rest) => query(withRequestId(first), ...rest);
      this.query = (wrap === undefined ? ask : wrap(ask)) as typeof this.query;
    }
  };
}

const pools = new Map<string, { sequelize: Sequelize; users: number }>();

function sharedPool(key: string, url: string, profile: Profile, wrap: Wrap | undefined): Sequelize {
  const known = pools.get(key);
  if (known !== undefined) {
    known.users += 1;
    return known.sequelize;
  }
  const { poolMax, idleInTransactionMs, lockMs, statementMs, answerMs, acquireMs } =
    PROFILES[profile];
  const sequelize = new Sequelize(url, {
    dialect: "postgres",
    dialectModule: { ...pg, Client: listeningClient(wrap) },
    logging: false,
    pool: { max: poolMax, min: 1, acquire: acquireMs, idle: 30_000 },
    dialectOptions: {
      application_name: `boxoffice-${profile}`,
      keepAlive: true,
      connectionTimeoutMillis: acquireMs,
      query_timeout: answerMs,
      options: [
        `-c idle_in_transaction_session_timeout=${idleInTransactionMs}`,
        `-c lock_timeout=${lockMs}`,
        `-c statement_timeout=${statementMs}`,
        "-c tcp_user_timeout=3000",
        "-c jit=off",
      ].join(" "),
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
 * session has the profile's time-outs, so a frozen server blocks no caller for longer. Wrapped
 * queries get a pool of their own.
 */
export function openDatabase(url: string, profile: Profile, wrap?: Wrap): Database {
  const key = `${profile} ${wrap === undefined ? "plain" : "wrapped"} ${url}`;
  const sequelize = sharedPool(key, url, profile, wrap);
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
          broken ||= !isServerError(error);
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

  return {
    sequelize,
    withConnection,
    load: () => ({
      used: pool.using,
      idle: pool.available,
      waiting: pool.waiting,
    }),
    query: (statement) => withConnection((connection) => connection.query(statement)),
    transaction: (work, isolation) =>
      withConnection(async (connection) => {
        await connection.query({ text: `BEGIN ISOLATION LEVEL ${isolation ?? "READ COMMITTED"}` });
        try {
          const result = await work(connection);
          await connection.query({ text: "COMMIT" });
          return result;
        } catch (error) {
          await connection.query({ text: "ROLLBACK" }).catch(() => undefined);
          throw error;
        }
      }),
    async close() {
      if (closed) return;
      closed = true;
      await releasePool(key);
    },
  };
}
