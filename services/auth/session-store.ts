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

/** From the sign-in on, however often it is refreshed. */
const LIFE_DAYS = 7;
/** Two tabs, or an answer that was lost: the same successor is given again. */
const GRACE_S = 10;
/** A client that refreshes faster than this many times in ten seconds is told to wait. */
const LINKS_MAX = 1_000;
const SESSIONS_MAX = 100;
const SWEPT_AT_ONCE = 200;
const SWEEP_ROUNDS_MAX = 50;
const TRIES = 3;

/** Where a session is used from, as its owner sees it in the list. */
export type Device = { userAgent?: string; address?: string };

/** What a sign-in or a refresh gives. `lifeS`: seconds until the session ends for good. */
export type Grant = { user: User; sessionId: string; refreshToken: string; lifeS: number };

export type SessionView = {
  id: string;
  createdAt: string;
  lastUsedAt: string;
  userAgent?: string;
  address?: string;
};

export type Sessions = {
  /** Begins a session for the account whose password was right. Undefined where the password has been changed since. */
  begin(account: Account, device: Device): Promise<Grant | undefined>;
  /** Can refuse with: REFRESH_TOKEN_INVALID (unknown, ended, expired, or used long ago, which ends the family), TRY_AGAIN. */
  refresh(token: string, device: Device): Promise<Answer<Grant>>;
  /** Ends the family of a token; an unknown one ends nothing. */
  endByToken(token: string): Promise<void>;
  /** False where the account has no such session. */
  endOne(userId: string, sessionId: string): Promise<boolean>;
  /** Ends all, or all but one, inside a transaction where one is given. */
  endAll(userId: string, but?: string, connection?: Connection): Promise<void>;
  /** The latest used first. */
  list(userId: string): Promise<SessionView[]>;
  /** Deletes what has ended. Safe on any number of nodes; answers how many. */
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

/**
 * SHA-256 and not argon2: nobody guesses 256 random bits, so there is nothing that a slow hash would slow down.
 */
function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** 256 random bits, or an HMAC of as many. */
export function isRefreshToken(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

/** `reused` hears of a token that came again long after its use: it has been copied by somebody. */
export function createSessions(
  database: Database,
  secret: string,
  reused: (facts: { userId: string; sessionId: string }) => void,
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

  /** Undefined where the token was not used after all: whoever used it has not got through. */
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
      reused({ userId: row.id, sessionId: row.sessionId });
      return refused("REFRESH_TOKEN_INVALID");
    }
    // Every later link is younger than the first, so the end of the chain is the one token not used yet.
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
      for (let tries = 0; tries < TRIES; tries += 1) {
        const won = await rotate(token, device);
        if (won !== undefined) return accepted(won);
        const answer = await follow(token);
        if (answer !== undefined) return answer;
      }
      return refused("TRY_AGAIN");
    },
    async endByToken(token) {
      if (isRefreshToken(token))
        await database.query({ text: END_BY_TOKEN, values: [hashOf(token)] });
    },
    async endOne(userId, sessionId) {
      return (await database.query({ text: END_ONE, values: [userId, sessionId] })).length === 1;
    },
    async endAll(userId, but, connection = database) {
      await connection.query({ text: END_ALL, values: [userId, but ?? null] });
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
          values: [SWEPT_AT_ONCE],
        });
        swept += row?.count ?? 0;
        if ((row?.count ?? 0) < SWEPT_AT_ONCE) break;
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
