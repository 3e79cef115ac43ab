import type { KeyObject } from "node:crypto";
import { createSigner, createVerifier } from "fast-jwt";
import { LRUCache } from "lru-cache";
import { type Answer, accepted, refused } from "../../domain/refusal.ts";

export const ROLES = ["customer", "operator"] as const;
export type Role = (typeof ROLES)[number];

/**
 * How an operator at the console has proved who it is: by the account's password or an access
 * token, or only by the secret of the engine, without an account.
 */
export const PROOFS = ["password", "token", "secret"] as const;
export type Proof = (typeof PROOFS)[number];

/** A caller as a token proves it. An operator at the console has no session, but a proof. */
export type Caller = { userId: string; role: Role; sessionId?: string; proof?: Proof };

/** The claims and header that a token of one kind must have. */
export type TokenKind = {
  algorithm: "EdDSA" | "HS512";
  issuer: string;
  audience: string;
  type: string;
  claims: readonly string[];
};

type VerifierOptions = TokenKind & {
  /** The public key, or the shared secret. */
  key: KeyObject | string;
  /** If set, the header must name this key. */
  keyId?: string;
  /** Allowed difference between the clocks of two nodes. */
  leewayMs: number;
  cacheMax: number;
};

type Complete = {
  header: { kid?: unknown };
  payload: { sub?: unknown; role?: unknown; sid?: unknown; proof?: unknown; exp?: unknown };
  signature: string;
};

/** Exceeds every token of the engine. Longer ones are refused unread. */
const TOKEN_LENGTH_MAX = 2_048;

/**
 * Verifies tokens of one kind: signature with the pinned algorithm, type, issuer, audience, expiry,
 * subject and role. The header's `alg`, `jku`, `jwk` and `x5u` decide nothing. Verified tokens are
 * kept in a bounded map.
 * Can refuse with: TOKEN_EXPIRED (valid, but too old), UNAUTHENTICATED (anything else).
 */
export function createTokenVerifier(options: VerifierOptions): (token: string) => Answer<Caller> {
  const { key, keyId, leewayMs } = options;
  const verify = createVerifier({
    key: typeof key === "string" ? key : key.export({ type: "spki", format: "pem" }).toString(),
    algorithms: [options.algorithm],
    allowedIss: options.issuer,
    allowedAud: options.audience,
    checkTyp: options.type,
    requiredClaims: ["iss", "aud", "sub", "role", "iat", "exp", ...options.claims],
    clockTolerance: leewayMs,
    complete: true,
  });
  const seen = new LRUCache<string, { caller: Caller; validUntilMs: number }>({
    max: options.cacheMax,
  });

  return (token) => {
    const known = seen.get(token);
    if (known !== undefined)
      return Date.now() <= known.validUntilMs ? accepted(known.caller) : refused("TOKEN_EXPIRED");
    if (token.length > TOKEN_LENGTH_MAX) return refused("UNAUTHENTICATED");
    let complete: Complete;
    try {
      complete = verify(token) as Complete;
    } catch (error) {
      return refused(
        (error as { code?: unknown }).code === "FAST_JWT_EXPIRED"
          ? "TOKEN_EXPIRED"
          : "UNAUTHENTICATED",
      );
    }
    const { header, payload, signature } = complete;
    const role = ROLES.find((candidate) => candidate === payload.role);
    if (
      role === undefined ||
      typeof payload.sub !== "string" ||
      payload.sub === "" ||
      typeof payload.exp !== "number"
    )
      return refused("UNAUTHENTICATED");
    if (payload.sid !== undefined && (typeof payload.sid !== "string" || payload.sid === ""))
      return refused("UNAUTHENTICATED");
    if (keyId !== undefined && header.kid !== keyId) return refused("UNAUTHENTICATED");
    // The last base64 digit has unused bits, so several texts would be the same token.
    if (Buffer.from(signature, "base64url").toString("base64url") !== signature)
      return refused("UNAUTHENTICATED");
    const proof = PROOFS.find((candidate) => candidate === payload.proof);
    const caller: Caller = Object.freeze({
      userId: payload.sub,
      role,
      ...(payload.sid !== undefined && { sessionId: payload.sid }),
      ...(proof !== undefined && { proof }),
    });
    // A copy: a substring would keep the whole request header in memory.
    seen.set(Buffer.from(token).toString(), {
      caller,
      validUntilMs: payload.exp * 1_000 + leewayMs,
    });
    return accepted(caller);
  };
}

/** For calls between services. The gateway refuses it, and services refuse access tokens. */
const INTERNAL_TOKEN: TokenKind = {
  algorithm: "HS512",
  issuer: "boxoffice-gateway",
  audience: "boxoffice-services",
  type: "internal+jwt",
  claims: [],
};

const LIFE_MS = 60_000;
/** A caller's token is reused for this long; the rest of its life exceeds every call's time-out. */
const REUSE_MS = 30_000;
const LEEWAY_MS = 120_000;
const CACHE_MAX = 20_000;

export type MintInternalToken = (caller: Caller) => string;
export type VerifyInternalToken = (token: string) => Answer<Caller>;

/** Mints tokens, valid for a minute, that name the caller of the gateway or of the console. */
export function createInternalTokenMint(secret: string): MintInternalToken {
  const sign = createSigner({
    key: secret,
    algorithm: INTERNAL_TOKEN.algorithm,
    header: { alg: INTERNAL_TOKEN.algorithm, typ: INTERNAL_TOKEN.type },
    iss: INTERNAL_TOKEN.issuer,
    aud: INTERNAL_TOKEN.audience,
  });
  // Verifiers return the same object for the same access token.
  const minted = new WeakMap<Caller, { token: string; reuseUntilMs: number }>();
  return (caller) => {
    const nowMs = Date.now();
    const known = minted.get(caller);
    if (known !== undefined && nowMs < known.reuseUntilMs) return known.token;
    const { userId, role, sessionId, proof } = caller;
    const iat = Math.floor(nowMs / 1_000);
    const token = sign({
      sub: userId,
      role,
      ...(sessionId !== undefined && { sid: sessionId }),
      ...(proof !== undefined && { proof }),
      iat,
      exp: iat + LIFE_MS / 1_000,
    });
    minted.set(caller, { token, reuseUntilMs: nowMs + REUSE_MS });
    return token;
  };
}

/**
 * Verifies tokens of `createInternalTokenMint`. Clocks of nodes may differ by two minutes.
 * Can refuse with: UNAUTHENTICATED, TOKEN_EXPIRED.
 */
export function createInternalTokenVerifier(secret: string): VerifyInternalToken {
  return createTokenVerifier({
    ...INTERNAL_TOKEN,
    key: secret,
    leewayMs: LEEWAY_MS,
    cacheMax: CACHE_MAX,
  });
}
