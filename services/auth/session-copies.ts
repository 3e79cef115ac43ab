import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { ACCESS_TOKEN_LIFE_MS } from "../../lib/auth/access-token.ts";
import { customerKey } from "../../lib/availability/ticket-copy.ts";
import type { RedisClient } from "../../lib/redis/client.ts";
import type { Grant } from "./session-store.ts";

const CIPHER = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** How far the clocks of two nodes may differ. */
const CLOCKS_MS = 10_000;
/** A copy ends before its access token does, so that what it gives is of use. */
const LEFT_MIN_MS = 60_000;

/** A grant as it was, and when its access token was signed. */
type CopiedGrant = Grant & { issuedAtMs: number };

/** Copies of grants in Redis, for refreshes while PostgreSQL is down. See ADR-0086. */
export type SessionCopies = {
  /** Keeps a new grant. Drops the copy of the token that it replaces. Does not wait or throw. */
  keep(grant: Grant, replaced?: string): void;
  /** Drops the copies of all sessions of an account. Does not wait or throw. */
  forgetAll(userId: string): void;
  /**
   * Drops the copies of an erased account: of its sessions, and of its list of tickets. Waits for
   * Redis; while that is down, the copies end by themselves, within an hour and after the events.
   */
  forgetAccount(userId: string): Promise<void>;
  /** Returns undefined if there is none, or Redis is down. */
  read(token: string): Promise<CopiedGrant | undefined>;
};

/**
 * A copy is sealed with a key of the refresh token and the secret: who reads or writes in Redis
 * learns no address and makes no session.
 */
export function createSessionCopies(redis: RedisClient, secret: string): SessionCopies {
  const derived = (use: string, token: string): Buffer =>
    createHmac("sha256", secret).update(`session-copy|${use}|`).update(token).digest();
  const nameOf = (token: string): string =>
    `session_copy:${derived("name", token).toString("base64url")}`;
  const endedName = (userId: string): string => `session_copies_ended:${userId}`;
  const endAll = (userId: string): Promise<unknown> =>
    redis.set(endedName(userId), Date.now(), "PX", ACCESS_TOKEN_LIFE_MS);

  const seal = (token: string, copy: CopiedGrant & { endsAtMs: number }): Buffer => {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, derived("key", token), iv, {
      authTagLength: TAG_BYTES,
    });
    const sealed = Buffer.concat([cipher.update(JSON.stringify(copy)), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
  };
  const open = (token: string, sealed: Buffer): CopiedGrant & { endsAtMs: number } => {
    const iv = sealed.subarray(0, IV_BYTES);
    const decipher = createDecipheriv(CIPHER, derived("key", token), iv, {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    const text = Buffer.concat([
      decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)),
      decipher.final(),
    ]);
    return JSON.parse(text.toString()) as CopiedGrant & { endsAtMs: number };
  };

  return {
    keep(grant, replaced) {
      const { refreshToken, lifeS } = grant;
      const issuedAtMs = Date.now();
      const copy = { ...grant, issuedAtMs, endsAtMs: issuedAtMs + lifeS * 1_000 };
      const lifeMs = Math.min(ACCESS_TOKEN_LIFE_MS, lifeS * 1_000) - LEFT_MIN_MS;
      const writes = redis.pipeline();
      if (replaced !== undefined) writes.del(nameOf(replaced));
      if (lifeMs > 0) writes.set(nameOf(refreshToken), seal(refreshToken, copy), "PX", lifeMs);
      writes.exec().catch(() => undefined);
    },
    forgetAll(userId) {
      endAll(userId).catch(() => undefined);
    },
    async forgetAccount(userId) {
      await Promise.allSettled([endAll(userId), redis.unlink(customerKey(userId))]);
    },
    async read(token) {
      try {
        const sealed = await redis.getBuffer(nameOf(token));
        if (sealed === null) return undefined;
        const { endsAtMs, ...copy } = open(token, sealed);
        const endedAtMs = Number((await redis.get(endedName(copy.user.id))) ?? Number.NaN);
        if (copy.issuedAtMs < endedAtMs + CLOCKS_MS) return undefined;
        return { ...copy, lifeS: Math.floor((endsAtMs - Date.now()) / 1_000) };
      } catch {
        // Redis is down, or what is there was not written by this engine.
        return undefined;
      }
    },
  };
}
