import type { Context, ServiceSchema, ServiceSettingSchema } from "moleculer";
import { v7 as uuidv7 } from "uuid";
import { type Answer, accepted, refused } from "../../domain/refusal.ts";
import { callerOf } from "../../mixins/authorization.middleware.ts";
import { type Database, tableMixin } from "../../lib/database/pool.ts";
import { ROLES, type Role } from "../../lib/auth/jwt-verifier.ts";
import { ACCESS_TOKEN_LIFE_MS, type PublicJwk } from "../../lib/auth/access-token.ts";
import { ACCOUNT_TABLE, type Account, type User, emailKeyOf, userOf } from "./account.model.ts";
import {
  type Adapter,
  changePassword,
  changeRole,
  findAccount,
  findUser,
  insertAccount,
  listOperators,
  orRetryLater,
} from "./account-store.ts";
import { weaknessOf } from "./password-strength.ts";
import { createPasswords, hasPasswordLength } from "./password-hashing.ts";
import {
  type Device,
  type Grant,
  type SessionView,
  type Sessions,
  createSessions,
} from "./session-store.ts";
import { type SigningKeys, openSigningKeys } from "./signing-keys.ts";

export type Session = { accessToken: string; tokenType: "Bearer"; expiresIn: number; user: User };
/** `refreshLifeS`: seconds until the session ends, however often it is refreshed. */
export type SignedIn = Session & { refreshToken: string; refreshLifeS: number };

type Dependencies = {
  database: Database;
  /** The folder of the keys that sign access tokens. */
  accessTokenKeysDir: string;
  refreshTokenSecret: string;
};

const SWEEP_MS = 10 * 60_000;

const DEVICE = {
  type: "object",
  strict: true,
  optional: true,
  default: {},
  props: {
    userAgent: { type: "string", max: 256, optional: true },
    address: { type: "string", max: 64, optional: true },
  },
} as const;

/**
 * Accounts, sign-in and sessions: the only writer of their tables. No password and no hash leaves
 * this service, in answers, logs or errors.
 */
export function createAuthService({
  database,
  accessTokenKeysDir,
  refreshTokenSecret,
}: Dependencies): ServiceSchema {
  const passwords = createPasswords();
  let keys: SigningKeys;
  let sessions: Sessions;
  let sweeping: NodeJS.Timeout | undefined;

  const signedIn = ({ user, sessionId, refreshToken, lifeS }: Grant): SignedIn => {
    const accessToken = keys.sign({ userId: user.id, role: user.role, sessionId });
    return {
      accessToken,
      tokenType: "Bearer",
      expiresIn: ACCESS_TOKEN_LIFE_MS / 1_000,
      user,
      refreshToken,
      refreshLifeS: lifeS,
    };
  };

  const schema: ServiceSchema<ServiceSettingSchema, Record<string, never>, { adapter: Adapter }> = {
    name: "auth",
    mixins: [tableMixin(database, ACCOUNT_TABLE)],
    actions: {
      /**
       * Answers the new User. Can refuse with: EMAIL_TAKEN, PASSWORD_TOO_WEAK (with a `detail`),
       * VALIDATION_ERROR, TRY_AGAIN.
       */
      register: {
        auth: "public",
        params: {
          $$strict: true,
          email: { type: "string", min: 3, max: 254 },
          password: { type: "string" },
          name: { type: "string", min: 1, max: 200 },
        },
        async handler({
          params,
        }: Context<{ email: string; password: string; name: string }>): Promise<Answer<User>> {
          const usable = usablePassword(params.password, "password", params);
          if (!usable.ok) return usable;
          const hashed = await passwords.hash(params.password);
          if (!hashed.ok) return hashed;
          const { email, name } = params;
          const account = {
            id: uuidv7(),
            email: email.trim(),
            emailKey: emailKeyOf(email),
            name,
            role: "customer",
          } as const;
          const inserted = await insertAccount(this.adapter, {
            ...account,
            passwordHash: hashed.value,
          });
          return inserted.ok ? accepted(userOf(inserted.value)) : inserted;
        },
      },

      /**
       * Answers a SignedIn. An unknown e-mail and a wrong password give the same answer after the
       * same work. Can refuse with: INVALID_CREDENTIALS, TRY_AGAIN.
       */
      login: {
        auth: "public",
        params: {
          $$strict: true,
          email: { type: "string" },
          password: { type: "string" },
          device: DEVICE,
        },
        async handler({
          params,
        }: Context<{ email: string; password: string; device: Device }>): Promise<
          Answer<SignedIn>
        > {
          const owner = await passwords.verifyOwner(
            () => findAccount(this.adapter, { emailKey: emailKeyOf(params.email) }),
            params.password,
          );
          if (!owner.ok) return owner;
          const account = owner.value;
          if (account === undefined) return refused("INVALID_CREDENTIALS");
          const begun = await orRetryLater(async () =>
            accepted(await sessions.begin(account, params.device)),
          );
          if (!begun.ok) return begun;
          return begun.value === undefined
            ? refused("INVALID_CREDENTIALS")
            : accepted(signedIn(begun.value));
        },
      },

      /**
       * Answers a SignedIn with the successor of the token. Can refuse with:
       * REFRESH_TOKEN_INVALID, TRY_AGAIN.
       */
      refresh: {
        auth: "public",
        params: { $$strict: true, token: { type: "string" }, device: DEVICE },
        async handler({
          params,
        }: Context<{ token: string; device: Device }>): Promise<Answer<SignedIn>> {
          const refreshed = await orRetryLater(() => sessions.refresh(params.token, params.device));
          return refreshed.ok ? accepted(signedIn(refreshed.value)) : refreshed;
        },
      },

      /**
       * Ends the session of a refresh token, used or not; an unknown one is as good as ended. Can
       * refuse with: TRY_AGAIN.
       */
      logout: {
        auth: "public",
        params: { $$strict: true, token: { type: "string" } },
        handler: ({ params }: Context<{ token: string }>): Promise<Answer<null>> =>
          done(() => sessions.endByToken(params.token)),
      },

      /** Ends every session of the caller. Can refuse with: TRY_AGAIN. */
      logoutAll: {
        auth: "customer",
        params: { $$strict: true },
        handler: (ctx: Context): Promise<Answer<null>> =>
          done(() => sessions.endAll(callerOf(ctx).userId)),
      },

      /**
       * Changes the caller's password and ends every other session. Can refuse with:
       * INVALID_CREDENTIALS, PASSWORD_TOO_WEAK (with a `detail`), VALIDATION_ERROR,
       * UNAUTHENTICATED, TRY_AGAIN.
       */
      password: {
        auth: "customer",
        params: {
          $$strict: true,
          currentPassword: { type: "string" },
          newPassword: { type: "string" },
        },
        async handler(
          ctx: Context<{ currentPassword: string; newPassword: string }>,
        ): Promise<Answer<null>> {
          const { userId, sessionId } = callerOf(ctx);
          const { currentPassword, newPassword } = ctx.params;
          const found = await findAccount(this.adapter, { id: userId });
          if (!found.ok) return found;
          if (found.value === undefined) return refused("UNAUTHENTICATED");
          const account = found.value;
          const owner = await passwords.verifyOwner(
            () => Promise.resolve(accepted(account)),
            currentPassword,
          );
          if (!owner.ok) return owner;
          if (owner.value === undefined) return refused("INVALID_CREDENTIALS");
          const usable = usablePassword(newPassword, "newPassword", account);
          if (!usable.ok) return usable;
          const hashed = await passwords.hash(newPassword);
          if (!hashed.ok) return hashed;
          const changed = await orRetryLater(async () =>
            accepted(await changePassword(database, sessions, account, hashed.value, sessionId)),
          );
          if (!changed.ok) return changed;
          return changed.value ? accepted(null) : refused("INVALID_CREDENTIALS");
        },
      },

      /** Answers the caller's sessions, the latest used first. Can refuse with: TRY_AGAIN. */
      "sessions.list": {
        auth: "customer",
        params: { $$strict: true },
        async handler(
          ctx: Context,
        ): Promise<Answer<{ items: (SessionView & { current: boolean })[] }>> {
          const { userId, sessionId } = callerOf(ctx);
          const listed = await orRetryLater(async () => accepted(await sessions.list(userId)));
          if (!listed.ok) return listed;
          return accepted({
            items: listed.value.map((session) => ({
              ...session,
              current: session.id === sessionId,
            })),
          });
        },
      },

      /**
       * Ends one of the caller's sessions. Can refuse with: SESSION_NOT_FOUND (also another's, or
       * one that has ended), TRY_AGAIN.
       */
      "sessions.revoke": {
        auth: "customer",
        params: { $$strict: true, sessionId: { type: "uuid" } },
        async handler(ctx: Context<{ sessionId: string }>): Promise<Answer<null>> {
          const ended = await orRetryLater(async () =>
            accepted(await sessions.endOne(callerOf(ctx).userId, ctx.params.sessionId)),
          );
          if (!ended.ok) return ended;
          return ended.value ? accepted(null) : refused("SESSION_NOT_FOUND");
        },
      },

      /**
       * Answers the caller's User. Can refuse with: UNAUTHENTICATED (also when the account is
       * gone), TRY_AGAIN.
       */
      me: {
        auth: "customer",
        params: { $$strict: true },
        async handler(ctx: Context): Promise<Answer<User>> {
          const found = await findAccount(this.adapter, { id: callerOf(ctx).userId });
          if (!found.ok) return found;
          return found.value === undefined
            ? refused("UNAUTHENTICATED")
            : accepted(userOf(found.value));
        },
      },

      /** Answers the public keys that verify access tokens, as an RFC 7517 set. */
      keys: {
        auth: "public",
        params: { $$strict: true },
        handler: (): Answer<{ keys: PublicJwk[] }> => accepted({ keys: keys.published() }),
      },

      /**
       * Gives an account a role; a change ends all its sessions. Answers the user, or null where
       * nobody has this e-mail. Can refuse with: TRY_AGAIN.
       */
      grant: {
        auth: "operator",
        params: {
          $$strict: true,
          email: { type: "string", max: 254 },
          role: { type: "enum", values: [...ROLES] },
        },
        handler: ({
          params,
        }: Context<{ email: string; role: Role }>): Promise<
          Answer<{ user: User; changed: boolean } | null>
        > =>
          orRetryLater(async () =>
            accepted((await changeRole(database, sessions, params.email, params.role)) ?? null),
          ),
      },

      /** Answers who has this e-mail, or null. Can refuse with: TRY_AGAIN. */
      find: {
        auth: "operator",
        params: { $$strict: true, email: { type: "string", max: 254 } },
        handler: ({
          params,
        }: Context<{ email: string }>): Promise<Answer<(User & { sessions: number }) | null>> =>
          orRetryLater(async () => accepted((await findUser(database, params.email)) ?? null)),
      },

      /** Answers all operators. Can refuse with: TRY_AGAIN. */
      operators: {
        auth: "operator",
        params: { $$strict: true },
        handler: (): Promise<Answer<{ users: User[] }>> =>
          orRetryLater(async () => accepted({ users: await listOperators(database) })),
      },
    },
    created() {
      const { logger } = this;
      keys = openSigningKeys(accessTokenKeysDir, (message) => logger.warn(message));
      sessions = createSessions(database, refreshTokenSecret, (facts) =>
        logger.warn(facts, "A used refresh token came again: its session has been ended"),
      );
      // Nodes that started together do not sweep together.
      const sweep = (): void => {
        void orRetryLater(async () => accepted(await sessions.sweep())).catch((error: unknown) =>
          logger.warn(error),
        );
        sweeping = setTimeout(sweep, SWEEP_MS * (0.5 + Math.random())).unref();
      };
      sweeping = setTimeout(sweep, SWEEP_MS * Math.random()).unref();
    },
    stopped() {
      clearTimeout(sweeping);
      keys.close();
    },
  };
  return schema as unknown as ServiceSchema;
}

/** Can refuse with: VALIDATION_ERROR (its length), PASSWORD_TOO_WEAK. */
function usablePassword(
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

async function done(work: () => Promise<void>): Promise<Answer<null>> {
  return orRetryLater(async () => {
    await work();
    return accepted(null);
  });
}
