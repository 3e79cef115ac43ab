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

/** How soon a key that was added or taken away is noticed. The files are read and not watched: watching misses what a mounted secret does. */
const LOOK_MS = 2_000;

export type SigningKeys = {
  /** Signs an access token with the newest key whose moment has come. */
  sign(subject: AccessTokenSubject): string;
  /** The public keys of every token that may still be alive, the next one's among them before it signs. */
  published(): PublicJwk[];
  /** Reads the folder again now; a folder that cannot be used changes nothing. */
  look(): void;
  close(): void;
};

/** The keys of access tokens, from files that may be added and removed while the engine runs. Throws a ConfigError where there is no usable key. */
export function openSigningKeys(folder: string, warn: (message: string) => void): SigningKeys {
  let keys: readonly AccessKey[] = readAccessKeys(folder);
  let warned = "";
  const signers = new Map<string, ReturnType<typeof createAccessTokenSigner>>();

  const look = (): void => {
    try {
      keys = readAccessKeys(folder);
      warned = "";
    } catch (error) {
      const message = `The keys of access tokens stay as they are: ${error instanceof Error ? error.message : String(error)}`;
      if (message !== warned) warn(message);
      warned = message;
    }
  };
  const timer = setInterval(look, LOOK_MS);
  timer.unref();

  return {
    sign(subject) {
      const { kid, privateKey } = signingKeyOf(keys, Date.now());
      const known = signers.get(kid);
      const signer = known ?? createAccessTokenSigner(privateKey);
      if (known === undefined) {
        signers.clear();
        signers.set(kid, signer);
      }
      return signer(subject);
    },
    published: () =>
      verifyingKeysOf(keys, Date.now()).map(({ privateKey }) => publicJwk(privateKey)),
    look,
    close: () => clearInterval(timer),
  };
}
