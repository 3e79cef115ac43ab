import { type KeyObject, randomUUID } from "node:crypto";
import type { Context, ServiceSchema, ServiceSettingSchema } from "moleculer";
import { v7 as uuidv7 } from "uuid";
import { type Answer, accepted, refused } from "../../domain/refusal.ts";
import { callerOf } from "../../mixins/authorisation.ts";
import { type Database, tableMixin } from "../../mixins/database.ts";
import { ACCESS_TOKEN_LIFE_MS, type PublicJwk, createAccessTokenSigner, publicJwk } from "../../mixins/tokens.ts";
import { isUnavailable } from "../../mixins/unavailable.ts";
import { ACCOUNT_TABLE, type Account, type User, emailKeyOf, userOf } from "./account.ts";
import { createPasswords, hasPasswordLength } from "./passwords.ts";

export type Session = { accessToken: string; tokenType: "Bearer"; expiresIn: number; user: User };

type Registration = { email: string; password: string; name: string };
type Credentials = { email: string; password: string };

type Dependencies = {
  database: Database;
  /** Ed25519 private key that signs access tokens. */
  accessTokenKey: KeyObject;
};

type Row = { get(options: { plain: true }): Account };
type Adapter = { findOne(query: { where: Partial<Account> }): Promise<Row | null>; insert(account: Account): Promise<Row> };

/** Accounts and sign-in: the only writer of `user_account`. No password and no hash leaves this service, in answers, logs or errors. */
export function createAuthService({ database, accessTokenKey }: Dependencies): ServiceSchema {
  const signAccessToken = createAccessTokenSigner(accessTokenKey);
  const keys: PublicJwk[] = [publicJwk(accessTokenKey)];
  const passwords = createPasswords();

  const schema: ServiceSchema<ServiceSettingSchema, Record<string, never>, { adapter: Adapter }> = {
    name: "auth",
    mixins: [tableMixin(database, ACCOUNT_TABLE)],
    actions: {
      /** Answers the new User. Can refuse with: EMAIL_TAKEN, VALIDATION_ERROR, TRY_AGAIN. */
      register: {
        auth: "public",
        params: {
          $$strict: true,
          email: { type: "string", min: 3, max: 254 },
          password: { type: "string" },
          name: { type: "string", min: 1, max: 200 },
        },
        async handler({ params }: Context<Registration>): Promise<Answer<User>> {
          if (!hasPasswordLength(params.password)) return refused("VALIDATION_ERROR", { errors: [{ field: "password", rule: "length" }] });
          const hashed = await passwords.hash(params.password);
          if (!hashed.ok) return hashed;
          const account: Account = {
            id: uuidv7(),
            email: params.email.trim(),
            emailKey: emailKeyOf(params.email),
            name: params.name,
            role: "customer",
            passwordHash: hashed.value,
          };
          try {
            await this.adapter.insert(account);
          } catch (error) {
            if ((error as Error).name === "SequelizeUniqueConstraintError") return refused("EMAIL_TAKEN");
            return unavailableOrThrow(error);
          }
          return accepted(userOf(account));
        },
      },

      /**
       * Answers a Session. An unknown e-mail and a wrong password give the same answer after the same work.
       * Can refuse with: INVALID_CREDENTIALS, TRY_AGAIN.
       */
      login: {
        auth: "public",
        params: { $$strict: true, email: { type: "string" }, password: { type: "string" } },
        async handler({ params }: Context<Credentials>): Promise<Answer<Session>> {
          const found = await findAccount(this.adapter, { emailKey: emailKeyOf(params.email) });
          if (!found.ok) return found;
          const account = found.value;
          const matches = await passwords.matches(account?.passwordHash, params.password);
          if (!matches.ok) return matches;
          if (account === undefined || !matches.value) return refused("INVALID_CREDENTIALS");
          const accessToken = signAccessToken({ userId: account.id, role: account.role, sessionId: randomUUID() });
          return accepted({ accessToken, tokenType: "Bearer", expiresIn: ACCESS_TOKEN_LIFE_MS / 1_000, user: userOf(account) });
        },
      },

      /** Answers the caller's User. Can refuse with: UNAUTHENTICATED (also when the account is gone), TRY_AGAIN. */
      me: {
        auth: "customer",
        params: { $$strict: true },
        async handler(ctx: Context): Promise<Answer<User>> {
          const found = await findAccount(this.adapter, { id: callerOf(ctx).userId });
          if (!found.ok) return found;
          return found.value === undefined ? refused("UNAUTHENTICATED") : accepted(userOf(found.value));
        },
      },

      /** Answers the public keys that verify access tokens, as an RFC 7517 set. */
      keys: {
        auth: "public",
        params: { $$strict: true },
        handler: (): Answer<{ keys: PublicJwk[] }> => accepted({ keys }),
      },
    },
  };
  return schema as unknown as ServiceSchema;
}

async function findAccount(adapter: Adapter, where: Partial<Account>): Promise<Answer<Account | undefined>> {
  try {
    const row = await adapter.findOne({ where });
    return accepted(row?.get({ plain: true }));
  } catch (error) {
    return unavailableOrThrow(error);
  }
}

/** Sequelize's errors carry the statement and its values, among them the hash: only their kind goes on. */
function unavailableOrThrow(error: unknown): { ok: false; refusal: { code: "TRY_AGAIN" } } {
  if (isUnavailable(error)) return { ok: false, refusal: { code: "TRY_AGAIN" } };
  const { name, original } = error as { name?: string; original?: { code?: string } };
  throw new Error(`A statement on accounts failed: ${name ?? "unknown"} ${original?.code ?? ""}`.trim());
}
