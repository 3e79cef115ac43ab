import { KeyObject, createHash, createPublicKey, randomUUID } from "node:crypto";
import { createSigner } from "fast-jwt";
import { type Answer, refused } from "../../domain/refusal.ts";
import { type Caller, type Role, type TokenKind, createTokenVerifier } from "./jwt.ts";
import { guarded } from "../observability/faults.ts";

/** RFC 9068's type, so that no other token of the engine passes for an access token. */
const ACCESS_TOKEN: TokenKind = {
  algorithm: "EdDSA",
  issuer: "boxoffice",
  audience: "boxoffice-api",
  type: "at+jwt",
  claims: ["sid", "jti"],
};

export const ACCESS_TOKEN_LIFE_MS = 3_600_000;

/** Verified tokens kept for later requests; 20,000 take about 10 MB. */
const CACHE_MAX = 20_000;
/** An RFC 7638 thumbprint. */
const KEY_ID = /^[\w-]{43}$/;
const HEADER_LENGTH_MAX = 512;

/** `sessionId` is the family of refresh tokens of the sign-in. */
export type AccessTokenSubject = { userId: string; role: Role; sessionId: string };

/** A public key as RFC 8037 writes it. */
export type PublicJwk = {
  kty: string;
  crv: string;
  x: string;
  kid: string;
  use: "sig";
  alg: "EdDSA";
};

/** Signs access tokens with the Ed25519 private key. `nowMs` is the clock in milliseconds. */
export function createAccessTokenSigner(
  privateKey: KeyObject,
): (subject: AccessTokenSubject, nowMs?: number) => string {
  const sign = createSigner({
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    algorithm: ACCESS_TOKEN.algorithm,
    header: { alg: ACCESS_TOKEN.algorithm, typ: ACCESS_TOKEN.type, kid: publicJwk(privateKey).kid },
    iss: ACCESS_TOKEN.issuer,
    aud: ACCESS_TOKEN.audience,
  });
  return ({ userId, role, sessionId }, nowMs = Date.now()) => {
    const iat = Math.floor(nowMs / 1_000);
    return sign({
      sub: userId,
      role,
      sid: sessionId,
      jti: randomUUID(),
      iat,
      exp: iat + ACCESS_TOKEN_LIFE_MS / 1_000,
    });
  };
}

export type AccessTokenVerifier = {
  /** Replaces the keys. Tokens of removed keys are refused, cached or not. */
  use(keys: readonly (KeyObject | PublicJwk)[]): void;
  /**
   * Can refuse with: UNAUTHENTICATED, TOKEN_EXPIRED. Undefined if the token names an unknown key,
   * which may be a new one.
   */
  verify(token: string): Answer<Caller> | undefined;
};

/** Verifies access tokens with public keys, without a call. */
export function createAccessTokenVerifier(
  keys: readonly (KeyObject | PublicJwk)[] = [],
): AccessTokenVerifier {
  let byKeyId = new Map<string, (token: string) => Answer<Caller>>();
  /** Nearly all tokens have the same header, so the latest one is remembered. */
  let latest: { header: string; keyId: string | undefined } = { header: "", keyId: undefined };

  const use = (used: readonly (KeyObject | PublicJwk)[]): void => {
    const next = new Map<string, (token: string) => Answer<Caller>>();
    for (const key of used) {
      const publicKey = publicKeyOf(key);
      const keyId = publicJwk(publicKey).kid;
      const known = byKeyId.get(keyId);
      next.set(
        keyId,
        known ??
          createTokenVerifier({
            ...ACCESS_TOKEN,
            key: publicKey,
            keyId,
            leewayMs: 0,
            cacheMax: CACHE_MAX,
          }),
      );
    }
    byKeyId = next;
  };
  use(keys);

  return {
    use,
    verify(token) {
      const header = token.slice(0, Math.min(HEADER_LENGTH_MAX, token.indexOf(".")));
      if (header !== latest.header) latest = { header, keyId: keyIdOf(header) };
      if (latest.keyId === undefined) return refused("UNAUTHENTICATED");
      return byKeyId.get(latest.keyId)?.(token);
    },
  };
}

/** The key id of a header. It selects one of the known keys and decides nothing else. */
function keyIdOf(header: string): string | undefined {
  try {
    const { kid } = JSON.parse(Buffer.from(header, "base64url").toString()) as { kid?: unknown };
    return typeof kid === "string" && KEY_ID.test(kid) ? kid : undefined;
  } catch {
    return undefined;
  }
}

function publicKeyOf(key: KeyObject | PublicJwk): KeyObject {
  if (!(key instanceof KeyObject)) return createPublicKey({ key, format: "jwk" });
  return key.type === "public" ? key : createPublicKey(key);
}

/** The public half of an Ed25519 key. Its id is the RFC 7638 thumbprint. */
export function publicJwk(key: KeyObject): PublicJwk {
  const { kty, crv, x } = publicKeyOf(key).export({ format: "jwk" });
  if (kty !== "OKP" || crv !== "Ed25519" || x === undefined)
    throw new Error("The key of access tokens must be an Ed25519 key");
  const kid = createHash("sha256").update(JSON.stringify({ crv, kty, x })).digest("base64url");
  return { kty, crv, x, kid, use: "sig", alg: "EdDSA" };
}

/** Less than the ten seconds after which a new key begins to sign. */
const REFRESH_MS = 5_000;
/** Tokens with unknown keys cause one fetch per second at most. */
const REFETCH_MS = 1_000;

export type AccessTokens = {
  /**
   * Can refuse with: UNAUTHENTICATED, TOKEN_EXPIRED, TRY_AGAIN (the key is unknown and cannot be
   * fetched). A promise only if the key is unknown.
   */
  verify: (token: string) => Answer<Caller> | Promise<Answer<Caller>>;
  /** Fetches the keys now and every few seconds. Failures keep the known ones. */
  start(): void;
  stop(): void;
};

/** Verifies access tokens with the public keys that `fetchKeys` answers. `fetchKeys` may reject. */
export function createAccessTokens(
  fetchKeys: () => Promise<Answer<{ keys: PublicJwk[] }>>,
): AccessTokens {
  const verifier = createAccessTokenVerifier();
  let latest: { atMs: number; succeeded: Promise<boolean> } | undefined;
  let timer: NodeJS.Timeout | undefined;

  const useFetchedKeys = async (): Promise<boolean> => {
    try {
      const answer = await fetchKeys();
      if (answer.ok) verifier.use(answer.value.keys);
      if (!answer.ok) latest = undefined;
      return answer.ok;
    } catch {
      // Forgotten: auth may be back at once, and only one fetch runs at a time.
      latest = undefined;
      return false;
    }
  };
  const refresh = (): Promise<boolean> => {
    const nowMs = performance.now();
    if (latest === undefined || nowMs - latest.atMs >= REFETCH_MS)
      latest = { atMs: nowMs, succeeded: useFetchedKeys() };
    return latest.succeeded;
  };
  const verifyAfterRefresh = async (token: string): Promise<Answer<Caller>> => {
    const succeeded = await refresh();
    return verifier.verify(token) ?? refused(succeeded ? "UNAUTHENTICATED" : "TRY_AGAIN");
  };

  return {
    verify: (token) => verifier.verify(token) ?? verifyAfterRefresh(token),
    start() {
      void refresh();
      timer = setInterval(() => guarded("timer", refresh), REFRESH_MS);
      timer.unref();
    },
    stop: () => clearInterval(timer),
  };
}
