import { createSigner } from "fast-jwt";
import type { Answer } from "../../domain/refusal.ts";
import { type Caller, type TokenKind, createTokenVerifier } from "./jwt-verifier.ts";

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
    const { userId, role, sessionId } = caller;
    const iat = Math.floor(nowMs / 1_000);
    const token = sign({
      sub: userId,
      role,
      ...(sessionId !== undefined && { sid: sessionId }),
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
