import {
  type AccessKey,
  readAccessKeys,
  signingKeyOf,
  verifyingKeysOf,
} from "../../lib/auth/key-store.ts";
import {
  type AccessTokenSubject,
  type PublicJwk,
  createAccessTokenSigner,
  publicJwk,
} from "../../lib/auth/access-token.ts";
import { guarded } from "../../lib/observability/faults.ts";

/** Interval of reading the keys. Polled, because watching misses changes of a mounted secret. */
const POLL_MS = 2_000;

export type SigningKeys = {
  /** Signs an access token, issued at `issuedAtMs`, with the newest key whose time has come. */
  sign(subject: AccessTokenSubject, issuedAtMs: number): string;
  /** Returns the public keys of all tokens that can be valid, including keys that sign later. */
  published(): PublicJwk[];
  /** Reads the folder again. Keeps the present keys if the folder is unusable. */
  reload(): void;
  close(): void;
};

/**
 * Opens the signing keys of a folder, whose files may change at run time. Throws a ConfigError
 * without a usable key.
 */
export function openSigningKeys(folder: string, warn: (message: string) => void): SigningKeys {
  let keys: readonly AccessKey[] = readAccessKeys(folder);
  let warned = "";
  const signers = new Map<string, ReturnType<typeof createAccessTokenSigner>>();

  const reload = (): void => {
    try {
      keys = readAccessKeys(folder);
      warned = "";
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      const message = `The keys of access tokens stay as they are: ${problem}`;
      if (message !== warned) warn(message);
      warned = message;
    }
  };
  const timer = setInterval(() => guarded("timer", reload), POLL_MS);
  timer.unref();

  return {
    sign(subject, issuedAtMs) {
      const { kid, privateKey } = signingKeyOf(keys, Date.now());
      const cached = signers.get(kid);
      const signer = cached ?? createAccessTokenSigner(privateKey);
      if (cached === undefined) {
        signers.clear();
        signers.set(kid, signer);
      }
      return signer(subject, issuedAtMs);
    },
    published: () =>
      verifyingKeysOf(keys, Date.now()).map(({ privateKey }) => publicJwk(privateKey)),
    reload,
    close: () => clearInterval(timer),
  };
}
