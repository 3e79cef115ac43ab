import { hash, verify } from "@node-rs/argon2";
import { type Answer, accepted } from "../../domain/refusal.ts";
import { createConcurrencyLimit } from "../../lib/concurrency/concurrency-limit.ts";

/** OWASP's parameters for argon2id: 19 MiB, two passes, one lane. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/**
 * A hash takes a core and 19 MiB for about 70 ms. Two run at once; more than two seconds' worth
 * of waiting is refused.
 */
const RUNNING_MAX = 2;
const WAITING_MAX = 48;

export const PASSWORD_MIN = 12;
export const PASSWORD_MAX = 128;

/**
 * Checks the length in code points of the normalized password. Nothing is truncated or folded
 * (ASVS 5.0, 6.2.8).
 */
export function hasPasswordLength(password: string): boolean {
  const length = Array.from(normalized(password)).length;
  return length >= PASSWORD_MIN && length <= PASSWORD_MAX;
}

/**
 * NFC, because systems type a letter as one code point or as two. NIST SP 800-63B: normalize, then
 * hash.
 */
function normalized(password: string): string {
  return password.normalize("NFC");
}

/** An account whose password is right. `asTyped`: its hash is older than the normalization. */
export type Verified<Owner> = { owner: Owner; asTyped: boolean };

export type Passwords = {
  /**
   * Returns an encoded argon2id hash of the normalized password, with its own salt. Can refuse
   * with: TRY_AGAIN (queue full).
   */
  hash(password: string): Promise<Answer<string>>;
  /**
   * Returns the account that `find` finds if the password is right, else undefined. An unknown
   * account takes the same work. `find` runs inside the concurrency limit, so that a burst of
   * sign-ins does not exhaust the connection pool. Can refuse with: TRY_AGAIN (queue full), and
   * the refusals of `find`.
   */
  verifyOwner<Owner extends { passwordHash: string }>(
    find: () => Promise<Answer<Owner | undefined>>,
    password: string,
  ): Promise<Answer<Verified<Owner> | undefined>>;
};

export function createPasswords(): Passwords {
  const limit = createConcurrencyLimit({ running: RUNNING_MAX, waiting: WAITING_MAX });
  let decoy: Promise<string> | undefined;

  return {
    hash: (password) => limit(async () => accepted(await hash(normalized(password), PARAMETERS))),
    verifyOwner: (find, password) =>
      limit(async () => {
        const found = await find();
        if (!found.ok) return found;
        const encoded = found.value?.passwordHash;
        decoy ??= hash("the decoy hash of unknown accounts", PARAMETERS);
        const decoyHash = await decoy;
        for (const form of new Set([normalized(password), password])) {
          const isRight = await verify(encoded ?? decoyHash, form);
          if (isRight && found.value !== undefined)
            return accepted({ owner: found.value, asTyped: form !== normalized(password) });
        }
        return accepted(undefined);
      }),
  };
}
