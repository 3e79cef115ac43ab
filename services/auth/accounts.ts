import { v7 as uuidv7 } from "uuid";
import { type Answer, accepted, refused } from "../../domain/refusal.ts";
import { ACCESS_TOKEN_LIFE_MS } from "../../lib/auth/access-token.ts";
import type { Caller, Role } from "../../lib/auth/jwt.ts";
import type { Database } from "../../lib/database/pool.ts";
import { type AccountData, eraseAccount, readAccountData } from "./account-data.ts";
import { type Account, type User, emailKeyOf, userOf } from "./account.model.ts";
import type { MailLinks } from "./mail-links.ts";
import type { MailLanguage } from "./preferences.ts";
import {
  type Adapter,
  changePassword,
  changeRole,
  findAccount,
  findUser,
  insertAccount,
  listOperators,
  orRetryLater,
  replaceHash,
} from "./account-store.ts";
import { hasPasswordLength, type Passwords } from "./password-hashing.ts";
import { weaknessOf } from "./password-strength.ts";
import type { SessionCopies } from "./session-copies.ts";
import type { Device, Grant, Sessions, SessionView } from "./session-store.ts";
import type { SigningKeys } from "./signing-keys.ts";

export type Session = { accessToken: string; tokenType: "Bearer"; expiresIn: number; user: User };
/** `refreshLifeS`: seconds until the session expires. Refreshing does not extend it. */
export type SignedIn = Session & { refreshToken: string; refreshLifeS: number };
export type Registration = {
  email: string;
  password: string;
  name: string;
  language?: MailLanguage;
};
export type Credentials = { email: string; password: string; device: Device };
export type PasswordChange = { currentPassword: string; newPassword: string };

export type AccountsOptions = {
  adapter: Adapter;
  database: Database;
  passwords: Passwords;
  sessions: Sessions;
  copies: SessionCopies;
  links: MailLinks;
  keys: Pick<SigningKeys, "sign">;
};

/** What the service does with accounts and sessions. No password and no hash leaves it. */
export class Accounts {
  readonly #options: AccountsOptions;

  constructor(options: AccountsOptions) {
    this.#options = options;
  }

  /** The mail to confirm the address can be asked for again, so a lost one is no fault. */
  async register(registration: Registration): Promise<Answer<User>> {
    const { email, password, name, language = "en" } = registration;
    const { adapter, passwords, links } = this.#options;
    const shown = name.trim();
    if (isBlank(shown))
      return refused("VALIDATION_ERROR", { errors: [{ field: "name", rule: "pattern" }] });
    const usable = checkPassword(password, "password", { email, name });
    if (!usable.ok) return usable;
    const hashed = await passwords.hash(password);
    if (!hashed.ok) return hashed;
    const inserted = await insertAccount(adapter, {
      id: uuidv7(),
      email: email.trim(),
      emailKey: emailKeyOf(email),
      name: shown,
      role: "customer",
      passwordHash: hashed.value,
      language,
    });
    if (inserted.ok) await done(() => links.requestConfirmation(inserted.value.id));
    return inserted.ok ? accepted(userOf(inserted.value)) : inserted;
  }

  async login({ email, password, device }: Credentials): Promise<Answer<SignedIn>> {
    const { adapter, passwords, sessions } = this.#options;
    const find = () => findAccount(adapter, { emailKey: emailKeyOf(email) });
    const owner = await passwords.verifyOwner(find, password);
    if (!owner.ok) return owner;
    if (owner.value === undefined) return refused("INVALID_CREDENTIALS");
    const { owner: account, asTyped } = owner.value;
    const begun = await orRetryLater(async () => accepted(await sessions.begin(account, device)));
    if (!begun.ok) return begun;
    if (asTyped) await this.#rehash(account, password);
    if (begun.value === undefined) return refused("INVALID_CREDENTIALS");
    this.#options.copies.keep(begun.value);
    return accepted(this.#signedIn(begun.value));
  }

  /**
   * While PostgreSQL is down, gives the same refresh token again, and an access token that ends
   * when the last one does.
   */
  async refresh(token: string, device: Device): Promise<Answer<SignedIn>> {
    const { sessions, copies } = this.#options;
    const refreshed = await orRetryLater(() => sessions.refresh(token, device));
    if (refreshed.ok) {
      copies.keep(refreshed.value, token);
      return accepted(this.#signedIn(refreshed.value));
    }
    if (refreshed.refusal.code === "TRY_AGAIN") {
      const copy = await copies.read(token);
      if (copy !== undefined) return accepted(this.#signedIn(copy, copy.issuedAtMs));
    }
    return refreshed;
  }

  logout(token: string): Promise<Answer<null>> {
    const { sessions, copies } = this.#options;
    return done(async () => {
      const userId = await sessions.endByToken(token);
      if (userId !== undefined) copies.forgetAll(userId);
    });
  }

  logoutAll({ userId }: Caller): Promise<Answer<null>> {
    const { sessions, copies } = this.#options;
    return done(async () => {
      await sessions.endAll(userId);
      copies.forgetAll(userId);
    });
  }

  async changePassword(
    { userId, sessionId }: Caller,
    { currentPassword, newPassword }: PasswordChange,
  ): Promise<Answer<null>> {
    const { database, passwords, sessions, copies, links } = this.#options;
    const verified = await this.#verifyCaller(userId, currentPassword);
    if (!verified.ok) return verified;
    const account = verified.value;
    const usable = checkPassword(newPassword, "newPassword", account);
    if (!usable.ok) return usable;
    const hashed = await passwords.hash(newPassword);
    if (!hashed.ok) return hashed;
    const changed = await orRetryLater(async () =>
      accepted(await changePassword(database, sessions, links, account, hashed.value, sessionId)),
    );
    if (!changed.ok) return changed;
    copies.forgetAll(userId);
    return changed.value ? accepted(null) : refused("INVALID_CREDENTIALS");
  }

  /** All that is stored about the caller here. */
  exportData({ userId }: Caller): Promise<Answer<AccountData>> {
    return orRetryLater(async () => {
      const data = await readAccountData(this.#options.database, userId);
      return data === undefined ? refused("UNAUTHENTICATED") : accepted(data);
    });
  }

  /** Deletes the caller's account, and all copies of it. */
  async erase({ userId }: Caller, password: string): Promise<Answer<null>> {
    const { database, copies } = this.#options;
    const verified = await this.#verifyCaller(userId, password);
    if (!verified.ok) return verified;
    const erased = await orRetryLater(async () =>
      accepted(await eraseAccount(database, verified.value)),
    );
    if (!erased.ok) return erased;
    await copies.forgetAccount(userId);
    return erased.value ? accepted(null) : refused("INVALID_CREDENTIALS");
  }

  async listSessions({
    userId,
    sessionId,
  }: Caller): Promise<Answer<{ items: (SessionView & { current: boolean })[] }>> {
    const { sessions } = this.#options;
    const listed = await orRetryLater(async () => accepted(await sessions.list(userId)));
    if (!listed.ok) return listed;
    const items = listed.value.map((session) => ({
      ...session,
      current: session.id === sessionId,
    }));
    return accepted({ items });
  }

  async revokeSession({ userId }: Caller, sessionId: string): Promise<Answer<null>> {
    const { sessions, copies } = this.#options;
    const ended = await orRetryLater(async () =>
      accepted(await sessions.endOne(userId, sessionId)),
    );
    if (!ended.ok) return ended;
    copies.forgetAll(userId);
    return ended.value ? accepted(null) : refused("SESSION_NOT_FOUND");
  }

  async me({ userId }: Caller): Promise<Answer<User>> {
    const found = await findAccount(this.#options.adapter, { id: userId });
    if (!found.ok) return found;
    return found.value === undefined ? refused("UNAUTHENTICATED") : accepted(userOf(found.value));
  }

  grant(email: string, role: Role): Promise<Answer<{ user: User; changed: boolean } | null>> {
    const { database, sessions, copies } = this.#options;
    return orRetryLater(async () => {
      const granted = await changeRole(database, sessions, email, role);
      if (granted?.changed === true) copies.forgetAll(granted.user.id);
      return accepted(granted ?? null);
    });
  }

  find(email: string): Promise<Answer<(User & { sessions: number }) | null>> {
    const { database } = this.#options;
    return orRetryLater(async () => accepted((await findUser(database, email)) ?? null));
  }

  operators(): Promise<Answer<{ users: User[] }>> {
    const { adapter } = this.#options;
    return orRetryLater(async () => accepted({ users: await listOperators(adapter) }));
  }

  /** Deletes ended sessions and links. Can refuse with: TRY_AGAIN. */
  sweep(): Promise<Answer<number>> {
    const { sessions, links } = this.#options;
    return orRetryLater(async () => {
      await links.sweep();
      return accepted(await sessions.sweep());
    });
  }

  /** Can refuse with: INVALID_CREDENTIALS, UNAUTHENTICATED (no account), TRY_AGAIN. */
  async #verifyCaller(userId: string, password: string): Promise<Answer<Account>> {
    const { adapter, passwords } = this.#options;
    const found = await findAccount(adapter, { id: userId });
    if (!found.ok) return found;
    const account = found.value;
    if (account === undefined) return refused("UNAUTHENTICATED");
    const find = () => Promise.resolve(accepted(account));
    const owner = await passwords.verifyOwner(find, password);
    if (!owner.ok) return owner;
    return owner.value === undefined ? refused("INVALID_CREDENTIALS") : accepted(account);
  }

  /** Replaces a hash that is older than the normalization. A busy engine does it another time. */
  async #rehash(account: Account, password: string): Promise<void> {
    const { database, passwords } = this.#options;
    const hashed = await passwords.hash(password);
    if (hashed.ok) await done(() => replaceHash(database, account, hashed.value));
  }

  #signedIn(grant: Grant, issuedAtMs = Date.now()): SignedIn {
    const { user, sessionId, refreshToken, lifeS } = grant;
    const subject = { userId: user.id, role: user.role, sessionId };
    const leftMs = issuedAtMs + ACCESS_TOKEN_LIFE_MS - Date.now();
    return {
      accessToken: this.#options.keys.sign(subject, issuedAtMs),
      tokenType: "Bearer",
      expiresIn: Math.round(leftMs / 1_000),
      user,
      refreshToken,
      refreshLifeS: lifeS,
    };
  }
}

/** Can refuse with: VALIDATION_ERROR (its length), PASSWORD_TOO_WEAK. */
export function checkPassword(
  password: string,
  field: string,
  { email, name }: Pick<Account, "email" | "name">,
): Answer<null> {
  if (!hasPasswordLength(password))
    return refused("VALIDATION_ERROR", { errors: [{ field, rule: "length" }] });
  const weakness = weaknessOf(password, [email, name]);
  return weakness === undefined
    ? accepted(null)
    : refused("PASSWORD_TOO_WEAK", { detail: weakness });
}

export async function done(work: () => Promise<void>): Promise<Answer<null>> {
  return orRetryLater(async () => {
    await work();
    return accepted(null);
  });
}

/** Tells whether a name shows nothing: blanks, marks, controls, letters without a shape. */
function isBlank(name: string): boolean {
  return !/[^\s\p{C}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u.test(name);
}
