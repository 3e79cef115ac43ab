import { randomUUID } from "node:crypto";
import { mailToken, mailTokenHash, type TokenPurpose } from "../../lib/auth/mail-token.ts";
import type { Connection, Database } from "../../lib/database/pool.ts";
import { emailKeyOf } from "./account.model.ts";
import {
  CONFIRM,
  CONFIRMATION_DAYS,
  END_RESETS,
  FIND_OWNER,
  REQUEST_CONFIRMATION,
  REQUEST_RESET,
  RESET_MINUTES,
  SET_PASSWORD,
  SWEEP_TOKENS,
  USE,
} from "./mail-links.sql.ts";
import type { Sessions } from "./session-store.ts";

type Owner = { id: string; email: string; name: string };

const SWEPT_AT_ONCE = 1_000;

/** Links in e-mails: each works once, for a time, and is stored as a hash. */
export type MailLinks = {
  /** Asks for a mail to choose a new password; for an unknown address the same work, no mail. */
  requestReset(email: string): Promise<void>;
  /** Asks for a mail to confirm the address, unless it is confirmed. */
  requestConfirmation(accountId: string): Promise<void>;
  /** Returns the account of a token of a reset that is valid, and leaves the token as it is. */
  ownerOfReset(token: string): Promise<Owner | undefined>;
  /**
   * Sets the password of the token's account, ends all its sessions and other links. Returns the
   * account's id; undefined if the token is used, expired or unknown.
   */
  resetPassword(token: string, passwordHash: string): Promise<string | undefined>;
  /** Confirms the address. Returns false if the token is used, expired or unknown. */
  confirm(token: string): Promise<boolean>;
  /** Ends all links of an account to a new password, in the given transaction. */
  endResets(accountId: string, connection: Connection): Promise<void>;
  /** Deletes expired tokens. Safe on any number of nodes. */
  sweep(): Promise<void>;
};

export function createMailLinks(
  database: Database,
  sessions: Pick<Sessions, "endAll">,
  secret: string,
): MailLinks {
  const newLink = (purpose: TokenPurpose) => {
    const key = randomUUID();
    return { key, hash: mailTokenHash(mailToken(secret, purpose, key)) };
  };
  return {
    async requestReset(email) {
      const { key, hash } = newLink("password-reset");
      const values = [emailKeyOf(email), hash, key, RESET_MINUTES];
      await database.query({ text: REQUEST_RESET, values });
    },
    async requestConfirmation(accountId) {
      const { key, hash } = newLink("confirmation");
      const values = [accountId, hash, key, CONFIRMATION_DAYS];
      await database.query({ text: REQUEST_CONFIRMATION, values });
    },
    async ownerOfReset(token) {
      const values = [mailTokenHash(token), "password-reset"];
      return (await database.query<Owner>({ text: FIND_OWNER, values }))[0];
    },
    resetPassword: (token, passwordHash) =>
      database.transaction(async (connection) => {
        const accountId = await use(connection, token, "password-reset");
        if (accountId === undefined) return undefined;
        await connection.query({ text: SET_PASSWORD, values: [accountId, passwordHash] });
        await connection.query({ text: END_RESETS, values: [accountId] });
        // A new statement also sees sign-ins that waited for the lock of the first one.
        await sessions.endAll(accountId, undefined, connection);
        return accountId;
      }),
    confirm: (token) =>
      database.transaction(async (connection) => {
        const accountId = await use(connection, token, "confirmation");
        if (accountId !== undefined) await connection.query({ text: CONFIRM, values: [accountId] });
        return accountId !== undefined;
      }),
    async endResets(accountId, connection) {
      await connection.query({ text: END_RESETS, values: [accountId] });
    },
    async sweep() {
      await database.query({ text: SWEEP_TOKENS, values: [SWEPT_AT_ONCE] });
    },
  };
}

async function use(
  connection: Connection,
  token: string,
  purpose: TokenPurpose,
): Promise<string | undefined> {
  const values = [mailTokenHash(token), purpose];
  const [used] = await connection.query<{ accountId: string | null }>({ text: USE, values });
  return used?.accountId ?? undefined;
}
