import { type Answer, accepted, refused } from "../../domain/refusal.ts";
import type { Caller } from "../../lib/auth/jwt.ts";
import { orRetryLater } from "./account-store.ts";
import { type AccountsOptions, checkPassword, done } from "./accounts.ts";
import {
  changePreferences,
  type Preferences,
  type PreferencesChange,
  readPreferences,
} from "./preferences.ts";

export type PasswordReset = { token: string; password: string };

/** What people do by links in e-mails, and which e-mails they get. */
export class AccountLinks {
  readonly #options: AccountsOptions;

  constructor(options: AccountsOptions) {
    this.#options = options;
  }

  /** The same work and answer for known and unknown addresses. */
  requestPasswordReset(email: string): Promise<Answer<null>> {
    return done(() => this.#options.links.requestReset(email));
  }

  /** A weak password leaves the link as it is. */
  async resetPassword({ token, password }: PasswordReset): Promise<Answer<null>> {
    const { links, passwords, copies } = this.#options;
    const found = await orRetryLater(async () => accepted(await links.ownerOfReset(token)));
    if (!found.ok) return found;
    if (found.value === undefined) return refused("LINK_INVALID");
    const usable = checkPassword(password, "password", found.value);
    if (!usable.ok) return usable;
    const hashed = await passwords.hash(password);
    if (!hashed.ok) return hashed;
    const reset = await orRetryLater(async () =>
      accepted(await links.resetPassword(token, hashed.value)),
    );
    if (!reset.ok) return reset;
    if (reset.value === undefined) return refused("LINK_INVALID");
    copies.forgetAll(reset.value);
    return accepted(null);
  }

  requestConfirmation({ userId }: Caller): Promise<Answer<null>> {
    return done(() => this.#options.links.requestConfirmation(userId));
  }

  async confirmEmail(token: string): Promise<Answer<null>> {
    const { links } = this.#options;
    const confirmed = await orRetryLater(async () => accepted(await links.confirm(token)));
    if (!confirmed.ok) return confirmed;
    return confirmed.value ? accepted(null) : refused("LINK_INVALID");
  }

  preferences({ userId }: Caller): Promise<Answer<Preferences>> {
    return orUnauthenticated(() => readPreferences(this.#options.database, userId));
  }

  changePreferences({ userId }: Caller, change: PreferencesChange): Promise<Answer<Preferences>> {
    return orUnauthenticated(() => changePreferences(this.#options.database, userId, change));
  }
}

async function orUnauthenticated<T>(find: () => Promise<T | undefined>): Promise<Answer<T>> {
  return orRetryLater(async () => {
    const found = await find();
    return found === undefined ? refused("UNAUTHENTICATED") : accepted(found);
  });
}
