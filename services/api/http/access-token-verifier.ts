import { type Answer, refused } from "../../../domain/refusal.ts";
import type { Caller } from "../../../lib/auth/jwt-verifier.ts";
import { type PublicJwk, createAccessTokenVerifier } from "../../../lib/auth/access-token.ts";

/** Less than the ten seconds after which a new key begins to sign. */
const REFRESH_MS = 5_000;
/** Tokens with unknown keys cause one fetch per second at most. */
const REFETCH_MS = 1_000;

export type AccessTokens = {
  /**
   * Can refuse with: UNAUTHENTICATED, TOKEN_EXPIRED, TRY_AGAIN (the key is unknown and cannot be
   * fetched). A promise only if the key is unknown.
   */
  verify(token: string): Answer<Caller> | Promise<Answer<Caller>>;
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
      timer = setInterval(() => void refresh(), REFRESH_MS);
      timer.unref();
    },
    stop: () => clearInterval(timer),
  };
}
