import type { Database } from "../../lib/database/pool.ts";
import type { Role } from "../../lib/auth/jwt.ts";
import type { Account } from "./account.model.ts";

/** What the tables of this service hold about a person, without secrets and their hashes. */
export type AccountData = {
  account: {
    id: string;
    email: string;
    name: string;
    role: Role;
    createdAt: string;
    language: string;
    mailsOff: string[];
    emailConfirmedAt: string | null;
  };
  /** Also ended ones, until they are swept. */
  sessions: {
    id: string;
    createdAt: string;
    lastUsedAt: string;
    expiresAt: string;
    endedAt: string | null;
    userAgent: string | null;
    address: string | null;
  }[];
  /** E-mails of the last 30 days: their kind and what became of them. Texts are not stored. */
  notifications: {
    kind: string;
    eventId: string | null;
    state: string;
    createdAt: string;
    doneAt: string | null;
  }[];
};

/** An answer of the bus is bounded. More sessions of seven days are not a person's. */
const SESSIONS_MAX = 1_000;
/** The newest. */
const NOTIFICATIONS_MAX = 10_000;

/** Reads all that is stored about an account. Undefined if it does not exist. */
export async function readAccountData(
  database: Database,
  userId: string,
): Promise<AccountData | undefined> {
  const [account] = await database.query<AccountData["account"]>({
    text: `SELECT id, email, name, role, created_at AS "createdAt", language,
        mails_off AS "mailsOff", email_confirmed_at AS "emailConfirmedAt"
      FROM user_account WHERE id = $1`,
    values: [userId],
  });
  if (account === undefined) return undefined;
  const sessions = await database.query<AccountData["sessions"][number]>({
    text: `SELECT id, created_at AS "createdAt", last_used_at AS "lastUsedAt",
        expires_at AS "expiresAt", revoked_at AS "endedAt", user_agent AS "userAgent", address
      FROM user_session WHERE user_id = $1 ORDER BY created_at DESC LIMIT $2`,
    values: [userId, SESSIONS_MAX],
  });
  const notifications = await database.query<AccountData["notifications"][number]>({
    text: `SELECT kind, event_id AS "eventId", state, created_at AS "createdAt",
        done_at AS "doneAt"
      FROM notification WHERE account_id = $1 ORDER BY created_at DESC LIMIT $2`,
    values: [userId, NOTIFICATIONS_MAX],
  });
  // Dates become texts here: a bus would do it, and a local call would not.
  return JSON.parse(JSON.stringify({ account, sessions, notifications })) as AccountData;
}

/**
 * Deletes an account, by the foreign keys its sessions and tokens, and its notifications. Tickets
 * keep its id, which then names no person. Returns false if the hash is no longer the one that the
 * password was checked against.
 */
export async function eraseAccount(
  database: Database,
  { id, passwordHash }: Pick<Account, "id" | "passwordHash">,
): Promise<boolean> {
  const erased = await database.query({
    text: `
      WITH erased AS (
        DELETE FROM user_account WHERE id = $1 AND password_hash = $2 RETURNING id
      ), forgotten AS (
        DELETE FROM notification USING erased WHERE account_id = erased.id
      )
      SELECT id FROM erased`,
    values: [id, passwordHash],
  });
  return erased.length === 1;
}
