import type { KeyObject } from "node:crypto";
import { createVerifier } from "fast-jwt";
import { type Answer, accepted, refused } from "../../domain/refusal.ts";
import { FifoMap } from "../concurrency/fifo-map.ts";

export const ROLES = ["customer", "operator"] as const;
export type Role = (typeof ROLES)[number];

/** A caller as a token proves it. An operator at the console has no session. */
export type Caller = { userId: string; role: Role; sessionId?: string };

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
  payload: { sub?: unknown; role?: unknown; sid?: unknown; exp?: unknown };
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
  const seen = new FifoMap<string, { caller: Caller; validUntilMs: number }>(options.cacheMax);

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
    const caller: Caller = Object.freeze({
      userId: payload.sub,
      role,
      ...(payload.sid !== undefined && { sessionId: payload.sid }),
    });
    // A copy: a substring would keep the whole request header in memory.
    seen.set(Buffer.from(token).toString(), {
      caller,
      validUntilMs: payload.exp * 1_000 + leewayMs,
    });
    return accepted(caller);
  };
}
