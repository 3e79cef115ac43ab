import { type KeyObject, createHash, createPublicKey, randomUUID } from "node:crypto";
import { createSigner } from "fast-jwt";
import type { Answer } from "../domain/refusal.ts";
import { type Caller, type Role, type TokenKind, createTokenVerifier } from "./token-verifier.ts";

/** RFC 9068's type, so that no other token of ours passes for an access token. */
const ACCESS_TOKEN: TokenKind = { algorithm: "EdDSA", issuer: "boxoffice", audience: "boxoffice-api", type: "at+jwt" };

export const ACCESS_TOKEN_LIFE_MS = 3_600_000;

/** A buyer's token is checked at every request of a rush; 20,000 of them are some 10 MB. */
const CACHE_MAX = 20_000;

/** `sessionId` is the family of refresh tokens that the sign-in began. */
export type AccessTokenSubject = { userId: string; role: Role; sessionId: string };

/** A public key as RFC 8037 writes it. */
export type PublicJwk = { kty: string; crv: string; x: string; kid: string; use: "sig"; alg: "EdDSA" };

/** Signs access tokens with the Ed25519 private key. `nowMs` is the clock in milliseconds. */
export function createAccessTokenSigner(privateKey: KeyObject): (subject: AccessTokenSubject, nowMs?: number) => string {
  const sign = createSigner({
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    algorithm: ACCESS_TOKEN.algorithm,
    header: { alg: ACCESS_TOKEN.algorithm, typ: ACCESS_TOKEN.type, kid: publicJwk(privateKey).kid },
    iss: ACCESS_TOKEN.issuer,
    aud: ACCESS_TOKEN.audience,
  });
  return ({ userId, role, sessionId }, nowMs = Date.now()) => {
    const iat = Math.floor(nowMs / 1_000);
    return sign({ sub: userId, role, sid: sessionId, jti: randomUUID(), iat, exp: iat + ACCESS_TOKEN_LIFE_MS / 1_000 });
  };
}

/**
 * Checks access tokens with the public half of `key`, without asking anyone.
 * Can refuse with: UNAUTHENTICATED, TOKEN_EXPIRED.
 */
export function createAccessTokenVerifier(key: KeyObject): (token: string) => Answer<Caller> {
  const publicKey = key.type === "public" ? key : createPublicKey(key);
  return createTokenVerifier({ ...ACCESS_TOKEN, key: publicKey, keyId: publicJwk(publicKey).kid, leewayMs: 0, cacheMax: CACHE_MAX });
}

/** The public half of an Ed25519 key; its id is the RFC 7638 thumbprint, so it follows from the key alone. */
export function publicJwk(key: KeyObject): PublicJwk {
  const { kty, crv, x } = (key.type === "public" ? key : createPublicKey(key)).export({ format: "jwk" });
  if (kty !== "OKP" || crv !== "Ed25519" || x === undefined) throw new Error("The key of access tokens must be an Ed25519 key");
  const kid = createHash("sha256").update(JSON.stringify({ crv, kty, x })).digest("base64url");
  return { kty, crv, x, kid, use: "sig", alg: "EdDSA" };
}
