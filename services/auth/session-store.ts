import { createHash, createHmac, randomBytes } from "node:crypto";
import type { QueryResultRow } from "pg";
import { v7 as uuidv7 } from "uuid";
import { type Answer, accepted, refused } from "../../domain/refusal.ts";
import type { Connection, Database } from "../../lib/database/pool.ts";
import type { Account, User } from "./account.model.ts";
import {
  BEGIN,
  CHAIN,
  END_ALL,
  END_BY_TOKEN,
  END_ONE,
  LIST,
  ROTATE,
  SWEEP,
} from "./session.sql.ts";

/** Lifetime of a session from its sign-in. Refreshing does not extend it. */
const LIFE_DAYS = 7;
/**
 * Grace period in which a used token gives the same successor again: two tabs, or a lost answer.
 */
const GRACE_S = 10;
/** Links of one chain within the grace period. A client that refreshes faster gets TRY_AGAIN. */
const LINKS_MAX = 1_000;
const SESSIONS_MAX = 100;
const SWEEP_BATCH_MAX = 200;
const SWEEP_ROUNDS_MAX = 50;
const ATTEMPTS_MAX = 3;

/** Device of a session, as shown in the list of sessions. */
export type Device = { userAgent?: string; address?: string };

/** Result of a sign-in or a refresh. `lifeS`: seconds until the session expires. */
export type Grant = { user: User; sessionId: string; refreshToken: string; lifeS: number };

export type SessionView = {
  id: string;
  createdAt: string;
  lastUsedAt: string;
  userAgent?: string;
  address?: string;
};

export type Sessions = {
  /**
   * Begins a session of an account whose password was checked. Returns undefined if the password
   * has changed since.
   */
  begin(account: Account, device: Device): Promise<Grant | undefined>;
  /**
   * Exchanges a token for its successor. Can refuse with: REFRESH_TOKEN_INVALID (unknown, ended,
   * expired, or used before the grace period, which ends the family), TRY_AGAIN.
   */
  refresh(token: string, device: Device): Promise<Answer<Grant>>;
  /** Ends the family of a token. Returns the account's id, undefined for an unknown token. */
  endByToken(token: string): Promise<string | undefined>;
  /** Returns false if the account has no such session. */
  endOne(userId: string, sessionId: string): Promise<boolean>;
  /** Ends all sessions except `keptSessionId`, inside the given transaction if any. */
  endAll(userId: string, keptSessionId?: string, connection?: Connection): Promise<void>;
  /** Lists open sessions, most recently used first. */
  list(userId: string): Promise<SessionView[]>;
  /** Deletes ended sessions and returns their number. Safe on any number of nodes. */
  sweep(): Promise<number>;
};

type GrantRow = QueryResultRow & User & { sessionId: string; lifeS: number };
type ChainRow = GrantRow & { hash: Buffer; salt: Buffer | null; young: boolean; alive: boolean };
type ListRow = QueryResultRow & {
  id: string;
  createdAt: Date;
  lastUsedAt: Date;
  userAgent: string | null;
  address: string | null;
};

/** Hashes a token with SHA-256. A slow hash adds nothing: 256 random bits cannot be guessed. */
function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** Checks the shape of a token: 256 bits in base64url. */
export function isRefreshToken(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

/**
 * `onReuse` is called for a token that was used before the grace period, which means a stolen
 * copy.
 */
export function createSessions(
  database: Database,
  secret: string,
  onReuse: (facts: { userId: string; sessionId: string }) => void,
): Sessions {
  const successorOf = (token: string, salt: Buffer): string =>
    createHmac("sha256", secret).update(token).update("|").update(salt).digest("base64url");

  const rotate = async (
    token: string,
    { userAgent, address }: Device,
  ): Promise<Grant | undefined> => {
    const salt = randomBytes(16);
    const successor = successorOf(token, salt);
    const values = [hashOf(token), salt, hashOf(successor), userAgent ?? null, address ?? null];
    const [won] = await database.query<GrantRow>({ name: "session-rotate", text: ROTATE, values });
    return won && grantOf(won, successor);
  };

  /**
   * Follows the chain of a used token to its end. Returns undefined if the token is unused after
   * all.
   */
  const follow = async (token: string): Promise<Answer<Grant> | undefined> => {
    const rows = await database.query<ChainRow>({
      name: "session-chain",
      text: CHAIN,
      values: [hashOf(token), GRACE_S, LINKS_MAX],
    });
    const byHash = new Map(rows.map((row) => [row.hash.toString("hex"), row]));
    let row = byHash.get(hashOf(token).toString("hex"));
    if (row?.alive !== true) return refused("REFRESH_TOKEN_INVALID");
    if (row.salt === null) return undefined;
    if (!row.young) {
      await database.query({ text: END_BY_TOKEN, values: [hashOf(token)] });
      onReuse({ userId: row.id, sessionId: row.sessionId });
      return refused("REFRESH_TOKEN_INVALID");
    }
    // Later links are younger, so the chain ends at the one unused token.
    let latest = token;
    while (row !== undefined && row.salt !== null) {
      latest = successorOf(latest, row.salt);
      row = byHash.get(hashOf(latest).toString("hex"));
    }
    return row === undefined ? refused("TRY_AGAIN") : accepted(grantOf(row, latest));
  };

  return {
    async begin(account, { userAgent, address }) {
      const token = randomBytes(32).toString("base64url");
      const values = [
        uuidv7(),
        account.id,
        account.passwordHash,
        userAgent ?? null,
        address ?? null,
      ];
      const [row] = await database.query<GrantRow>({
        name: "session-begin",
        text: BEGIN,
        values: [...values, hashOf(token), LIFE_DAYS, SESSIONS_MAX - 1],
      });
      return row && grantOf(row, token);
    },
    async refresh(token, device) {
      if (!isRefreshToken(token)) return refused("REFRESH_TOKEN_INVALID");
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
        const won = await rotate(token, device);
        if (won !== undefined) return accepted(won);
        const answer = await follow(token);
        if (answer !== undefined) return answer;
      }
      return refused("TRY_AGAIN");
    },
    async endByToken(token) {
      if (!isRefreshToken(token)) return undefined;
      const values = [hashOf(token)];
      const [ended] = await database.query<{ userId: string }>({ text: END_BY_TOKEN, values });
      return ended?.userId;
    },
    async endOne(userId, sessionId) {
      return (await database.query({ text: END_ONE, values: [userId, sessionId] })).length === 1;
    },
    async endAll(userId, keptSessionId, connection = database) {
      await connection.query({ text: END_ALL, values: [userId, keptSessionId ?? null] });
    },
    async list(userId) {
      const rows = await database.query<ListRow>({ text: LIST, values: [userId, SESSIONS_MAX] });
      return rows.map(({ id, createdAt, lastUsedAt, userAgent, address }) => ({
        id,
        createdAt: createdAt.toISOString(),
        lastUsedAt: lastUsedAt.toISOString(),
        ...(userAgent !== null && { userAgent }),
        ...(address !== null && { address }),
      }));
    },
    async sweep() {
      let swept = 0;
      for (let round = 0; round < SWEEP_ROUNDS_MAX; round += 1) {
        const [row] = await database.query<{ count: number }>({
          text: SWEEP,
          values: [SWEEP_BATCH_MAX],
        });
        swept += row?.count ?? 0;
        if ((row?.count ?? 0) < SWEEP_BATCH_MAX) break;
      }
      return swept;
    },
  };
}

function grantOf(
  { id, email, name, role, sessionId, lifeS }: GrantRow,
  refreshToken: string,
): Grant {
  return {
    user: { id, email, name, role },
    sessionId,
    refreshToken,
    lifeS: Math.max(0, Math.floor(lifeS)),
  };
}
