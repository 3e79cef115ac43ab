import { hash, verify } from "@node-rs/argon2";
import { type Answer, accepted } from "../../domain/refusal.ts";
import { createConcurrencyLimit } from "../../lib/concurrency/concurrency-limit.ts";

/** argon2id (the package's default) as OWASP asks: 19 MiB, two passes, one lane. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Each computation takes a core and 19 MiB for some 70 ms: two at once, and no more waiting than two seconds' worth. */
const RUNNING_MAX = 2;
const WAITING_MAX = 48;

export const PASSWORD_MIN = 12;
export const PASSWORD_MAX = 128;

/** Counted in code points, as the contract counts; nothing is cut, folded or normalised (ASVS 5.0, 6.2.8). */
export function hasPasswordLength(password: string): boolean {
  const length = Array.from(password).length;
  return length >= PASSWORD_MIN && length <= PASSWORD_MAX;
}

export type Passwords = {
  /** An encoded argon2id hash with its own salt. Can refuse with: TRY_AGAIN (too many are waiting). */
  hash(password: string): Promise<Answer<string>>;
  /**
   * The account that `find` answers, where the password is its own; else undefined, and without an account as well, after the same work. `find` is
   * asked when it is this one's turn, so that a flood of sign-ins stands before this line and not in PostgreSQL's, where everybody else waits too.
   * Can refuse with: TRY_AGAIN (too many are waiting), and what `find` refuses with.
   */
  ownerOf<Owner extends { passwordHash: string }>(
    find: () => Promise<Answer<Owner | undefined>>,
    password: string,
  ): Promise<Answer<Owner | undefined>>;
};

export function createPasswords(): Passwords {
  const turn = createConcurrencyLimit({ running: RUNNING_MAX, waiting: WAITING_MAX });
  let nobodys: Promise<string> | undefined;

  return {
    hash: (password) => turn(async () => accepted(await hash(password, PARAMETERS))),
    ownerOf: (find, password) =>
      turn(async () => {
        const found = await find();
        if (!found.ok) return found;
        const encoded = found.value?.passwordHash;
        nobodys ??= hash("the hash that stands for no account", PARAMETERS);
        const nobody = await nobodys;
        const right = await verify(encoded ?? nobody, password);
        return accepted(right && encoded !== undefined ? found.value : undefined);
      }),
  };
}
