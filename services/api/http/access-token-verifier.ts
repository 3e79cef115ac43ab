import { type Answer, refused } from "../../../domain/refusal.ts";
import type { Caller } from "../../../lib/auth/jwt-verifier.ts";
import { type PublicJwk, createAccessTokenVerifier } from "../../../lib/auth/access-token.ts";

/** A new key signs ten seconds after it was made, unless told otherwise: by then every gateway has asked. */
const REFRESH_MS = 5_000;
/** Tokens that name keys nobody knows may come by the thousand: they cost one question a second. */
const ASK_AGAIN_MS = 1_000;

export type AccessTokens = {
  /**
   * Can refuse with: UNAUTHENTICATED, TOKEN_EXPIRED, TRY_AGAIN (the token names a key that is not known here, and nobody can be asked).
   * Only that case is a promise.
   */
  verify(token: string): Answer<Caller> | Promise<Answer<Caller>>;
  /** Asks for the keys now and every few seconds; what is known stays while nobody answers. */
  start(): void;
  stop(): void;
};

/** The gateway's side of access tokens: it holds public keys only, which `ask` fetches. `ask` may reject. */
export function createAccessTokens(
  ask: () => Promise<Answer<{ keys: PublicJwk[] }>>,
): AccessTokens {
  const verifier = createAccessTokenVerifier();
  let asked: { atMs: number; answered: Promise<boolean> } | undefined;
  let timer: NodeJS.Timeout | undefined;

  const fetchKeys = async (): Promise<boolean> => {
    try {
      const answer = await ask();
      if (answer.ok) verifier.use(answer.value.keys);
      if (!answer.ok) asked = undefined;
      return answer.ok;
    } catch {
      // Not remembered: auth may be there in a moment, and one question at a time is all there ever is.
      asked = undefined;
      return false;
    }
  };
  const refresh = (): Promise<boolean> => {
    const nowMs = performance.now();
    if (asked === undefined || nowMs - asked.atMs >= ASK_AGAIN_MS)
      asked = { atMs: nowMs, answered: fetchKeys() };
    return asked.answered;
  };
  const afterAsking = async (token: string): Promise<Answer<Caller>> => {
    const answered = await refresh();
    return verifier.verify(token) ?? refused(answered ? "UNAUTHENTICATED" : "TRY_AGAIN");
  };

  return {
    verify: (token) => verifier.verify(token) ?? afterAsking(token),
    start() {
      void refresh();
      timer = setInterval(() => void refresh(), REFRESH_MS);
      timer.unref();
    },
    stop: () => clearInterval(timer),
  };
}
