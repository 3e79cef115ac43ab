/** Settings of a session in milliseconds. PostgreSQL ends what takes longer. */
export type SessionLimits = {
  statement_timeout: number;
  lock_timeout: number;
  idle_in_transaction_session_timeout: number;
};

/**
 * Limits of a sale. They are ordered: a lock that is waited for, the statement, and then the time
 * after which a buyer hears OUTCOME_UNKNOWN (2 s). See ADR-0061.
 */
export const SALE_LIMITS: SessionLimits = {
  lock_timeout: 1_000,
  idle_in_transaction_session_timeout: 1_000,
  statement_timeout: 1_500,
};

/** Ledger, import and reconcile raise their limits for each transaction. */
export const LONG_LIMITS: SessionLimits = {
  lock_timeout: 60_000,
  idle_in_transaction_session_timeout: 5_000,
  statement_timeout: 60_000,
};

/** What the engine's role has in its database. `npx boxoffice migrate` sets it. */
const ROLE_SETTINGS: Record<string, string> = {
  ...Object.fromEntries(Object.entries(SALE_LIMITS).map(([name, ms]) => [name, `${ms}ms`])),
  tcp_user_timeout: "3000ms",
  jit: "off",
};

const CHECKED_MAX_MS: Record<string, number> = { ...SALE_LIMITS, tcp_user_timeout: 3_000 };

/**
 * Raises the limits until the end of a transaction (LOCAL), which a pooler in between allows, or
 * until `RESET_LIMITS`.
 */
export function raiseLimits(limits: SessionLimits, until: "LOCAL" | "SESSION"): string {
  return Object.entries(limits)
    .map(([name, ms]) => `SET ${until} ${name} = ${ms}`)
    .join("; ");
}

export const RESET_LIMITS = Object.keys(SALE_LIMITS)
  .map((name) => `RESET ${name}`)
  .join("; ");

/** Runs SQL without a pool: pg's client. */
type Client = { query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }> };

/**
 * Gives a role its settings in a database, by default the connected ones. A role may do so for
 * itself, a superuser for all. New sessions have them, whatever is between the engine and
 * PostgreSQL.
 */
export async function setRoleSettings(
  client: Client,
  { database, role }: { database?: string; role?: string } = {},
): Promise<void> {
  const { rows } = await client.query(
    `SELECT format('ALTER ROLE %I IN DATABASE %I SET %I = %L', rolname, datname, name, setting)
       AS text
     FROM pg_database, pg_roles, unnest($3::text[], $4::text[]) AS wanted (name, setting)
     WHERE datname = coalesce($1, current_database()) AND rolname = coalesce($2, current_user)
       AND NOT EXISTS (
         SELECT FROM pg_db_role_setting WHERE setdatabase = pg_database.oid
           AND setrole = pg_roles.oid AND name || '=' || setting = ANY (setconfig))`,
    [database ?? null, role ?? null, Object.keys(ROLE_SETTINGS), Object.values(ROLE_SETTINGS)],
  );
  for (const { text } of rows as { text: string }[]) await client.query(text);
}

/** Returns the name of the session's role if it is a superuser. */
export async function superuserOf(connection: {
  query(statement: { text: string }): Promise<unknown[]>;
}): Promise<string | undefined> {
  const text = "SELECT rolname AS name FROM pg_roles WHERE rolname = current_user AND rolsuper";
  const [row] = (await connection.query({ text })) as { name: string }[];
  return row?.name;
}

/**
 * Names each limit of this session that is off or too long, and how to mend it. Empty if all is
 * well. The time-out of the socket (tcp_user_timeout) does not count on a local connection.
 */
export async function missingSettings(connection: {
  query(statement: { text: string; values: unknown[] }): Promise<unknown[]>;
}): Promise<string[]> {
  const rows = (await connection.query({
    text: `
      SELECT name, setting::integer AS ms, quote_ident(current_user) AS role,
        quote_ident(current_database()) AS database, inet_client_addr() IS NULL AS "isLocal"
      FROM pg_settings WHERE name = ANY ($1::text[]) ORDER BY name`,
    values: [Object.keys(CHECKED_MAX_MS)],
  })) as { name: string; ms: number; role: string; database: string; isLocal: boolean }[];
  return rows
    .filter(({ name, ms, isLocal }) => {
      if (name === "tcp_user_timeout" && isLocal) return false;
      return ms === 0 || ms > (CHECKED_MAX_MS[name] ?? 0);
    })
    .map(
      ({ name, ms, role, database }) =>
        `${name} is ${ms === 0 ? "off" : `${ms} ms`} in sessions of PostgreSQL; run ` +
        `\`npx boxoffice migrate\`, or ALTER ROLE ${role} IN DATABASE ${database} ` +
        `SET ${name} = '${ROLE_SETTINGS[name]}'`,
    );
}
