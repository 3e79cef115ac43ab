import { type Answer, accepted, refused } from "../../domain/refusal.ts";
import { type Database, orRetryLater as orRetryLaterPlain } from "../../lib/database/pool.ts";
import type { Role } from "../../lib/auth/jwt.ts";
import { type Account, type User, emailKeyOf, userOf } from "./account.model.ts";
import type { MailLinks } from "./mail-links.ts";
import type { Sessions } from "./session-store.ts";

type Row = { get(options: { plain: true }): Account };
/** moleculer-db's, on `user_account`. */
export type Adapter = {
  findOne(query: { where: Partial<Account> }): Promise<Row | null>;
  find(options: { query: Partial<Account>; sort: string; limit: number }): Promise<Row[]>;
  insert(account: Account): Promise<Row>;
};

/**
 * Longer than for reads: most statements on accounts write, and a caller that gives up repeats
 * the work.
 */
const WRITE_TIMEOUT_MS = 1_500;
const READ_TIMEOUT_MS = 900;
const OPERATORS_MAX = 1_000;

/** Finds an account. Can refuse with: TRY_AGAIN. */
export async function findAccount(
  adapter: Adapter,
  where: Partial<Account>,
): Promise<Answer<Account | undefined>> {
  return orRetryLater(async () => {
    const row = await adapter.findOne({ where });
    return accepted(row?.get({ plain: true }));
  }, READ_TIMEOUT_MS);
}

/** Inserts an account. Can refuse with: EMAIL_TAKEN, TRY_AGAIN. */
export async function insertAccount(adapter: Adapter, account: Account): Promise<Answer<Account>> {
  return orRetryLater(async () => {
    try {
      await adapter.insert(account);
      return accepted(account);
    } catch (error) {
      if ((error as Error).name === "SequelizeUniqueConstraintError") return refused("EMAIL_TAKEN");
      throw error;
    }
  });
}

/** Replaces the hash of the same password, if it has not changed meanwhile. The sessions stay. */
export async function replaceHash(
  database: Database,
  { id, passwordHash }: Account,
  hash: string,
): Promise<void> {
  await database.query({
    text: "UPDATE user_account SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
    values: [id, passwordHash, hash],
  });
}

/**
 * Replaces the password hash and ends all sessions except `keptSessionId`, and all links to a new
 * password, in one transaction.
 * Returns false if the hash is no longer the one that the current password was checked against.
 */
export async function changePassword(
  database: Database,
  sessions: Sessions,
  links: Pick<MailLinks, "endResets">,
  account: Account,
  hash: string,
  keptSessionId?: string,
): Promise<boolean> {
  return database.transaction(async (connection) => {
    const rows = await connection.query({
      text: `UPDATE user_account SET password_hash = $3
        WHERE id = $1 AND password_hash = $2 RETURNING id`,
      values: [account.id, account.passwordHash, hash],
    });
    // A new statement also sees sign-ins that waited for the lock of the first one.
    if (rows.length === 1) await sessions.endAll(account.id, keptSessionId, connection);
    if (rows.length === 1) await links.endResets(account.id, connection);
    return rows.length === 1;
  });
}

/**
 * Gives an account a role. A change ends all its sessions. Returns undefined if the account does
 * not exist.
 */
export async function changeRole(
  database: Database,
  sessions: Sessions,
  email: string,
  role: Role,
): Promise<{ user: User; changed: boolean } | undefined> {
  return database.transaction(async (connection) => {
    const [before] = await connection.query<User>({
      text: "SELECT id, email, name, role FROM user_account WHERE email_key = $1 FOR NO KEY UPDATE",
      values: [emailKeyOf(email)],
    });
    if (before === undefined || before.role === role)
      return before && { user: before, changed: false };
    await connection.query({
      text: "UPDATE user_account SET role = $2 WHERE id = $1",
      values: [before.id, role],
    });
    await sessions.endAll(before.id, undefined, connection);
    return { user: { ...before, role }, changed: true };
  });
}

/** Finds a user by e-mail address, with the number of open sessions. */
export async function findUser(
  database: Database,
  email: string,
): Promise<(User & { sessions: number }) | undefined> {
  const text = `SELECT id, email, name, role, (
      SELECT count(*)::integer FROM user_session
      WHERE user_id = user_account.id AND revoked_at IS NULL
    ) AS sessions
    FROM user_account WHERE email_key = $1`;
  return (
    await database.query<User & { sessions: number }>({ text, values: [emailKeyOf(email)] })
  )[0];
}

/** Lists operators by e-mail address, at most OPERATORS_MAX. */
export async function listOperators(adapter: Adapter): Promise<User[]> {
  const rows = await adapter.find({
    query: { role: "operator" },
    sort: "emailKey",
    limit: OPERATORS_MAX,
  });
  return rows.map((row) => userOf(row.get({ plain: true })));
}

/**
 * Refuses with TRY_AGAIN if PostgreSQL is unavailable. Other errors contain the statement and its
 * values, such as hashes, so only their kind is thrown on.
 */
export async function orRetryLater<T>(
  work: () => Promise<Answer<T>>,
  timeoutMs = WRITE_TIMEOUT_MS,
): Promise<Answer<T>> {
  try {
    return await orRetryLaterPlain(work, timeoutMs);
  } catch (error) {
    const { name, code, original } = error as {
      name?: string;
      code?: string;
      original?: { code?: string };
    };
    // eslint-disable-next-line preserve-caught-error -- the cause contains secrets
    throw new Error(
      `A statement on accounts failed: ${name ?? "unknown"} ${original?.code ?? code ?? ""}`.trim(),
    );
  }
}
