import type { Context, ServiceSchema, ServiceSettingSchema } from "moleculer";
import { type Answer, accepted } from "../../domain/refusal.ts";
import type { PublicJwk } from "../../lib/auth/access-token.ts";
import type { Role } from "../../lib/auth/jwt.ts";
import { configOf } from "../../lib/bus/node-context.ts";
import { callerOf } from "../../mixins/action.middleware.ts";
import { DatabaseMixin, type WithDatabases } from "../../mixins/database.mixin.ts";
import { RedisMixin, type WithRedis } from "../../mixins/redis.mixin.ts";
import { TableMixin } from "../../mixins/table.mixin.ts";
import type { AccountData } from "./account-data.ts";
import { ACCOUNT_TABLE, type User } from "./account.model.ts";
import type { Adapter } from "./account-store.ts";
import {
  Accounts,
  type Credentials,
  type PasswordChange,
  type Registration,
  type SignedIn,
} from "./accounts.ts";
import {
  GRANT_PARAMS,
  LOGIN_PARAMS,
  PASSWORD_PARAMS,
  REFRESH_PARAMS,
  REGISTER_PARAMS,
} from "./auth.params.ts";
import { AccountLinks } from "./account-links.ts";
import { linkActions } from "./link.actions.ts";
import { createMailLinks } from "./mail-links.ts";
import { createPasswords } from "./password-hashing.ts";
import { createSessionCopies } from "./session-copies.ts";
import { type Device, type SessionView, createSessions } from "./session-store.ts";
import { type SigningKeys, openSigningKeys } from "./signing-keys.ts";
import { guarded } from "../../lib/observability/faults.ts";

export type { Session, SignedIn } from "./accounts.ts";

type AuthSettings = ServiceSettingSchema & { sweepEveryMs: number };
type AuthMethods = { sweepLater(delayMs: number): void };
type AuthVars = WithDatabases<"sale"> &
  WithRedis & {
    adapter: Adapter;
    accounts: Accounts;
    links: AccountLinks;
    keys: SigningKeys;
    sweepTimer: NodeJS.Timeout | undefined;
  };

/** Accounts, sign-in, sessions, links in e-mails. Only writer of their tables. */
const AuthService: ServiceSchema<AuthSettings, AuthMethods, AuthVars> = {
  name: "auth",
  mixins: [TableMixin(ACCOUNT_TABLE), DatabaseMixin({ profiles: ["sale"] }), RedisMixin()],
  settings: { sweepEveryMs: 10 * 60_000 },

  actions: {
    /** Tells operators that this node offers the service. */
    status: {
      auth: "operator",
      unaudited: true,
      params: { $$strict: true },
      handler(): Answer<Record<string, never>> {
        return accepted({});
      },
    },

    /**
     * Creates an account and returns its User. Can refuse with: EMAIL_TAKEN, PASSWORD_TOO_WEAK
     * (with a `detail`), VALIDATION_ERROR, TRY_AGAIN.
     */
    register: {
      auth: "public",
      params: REGISTER_PARAMS,
      handler(ctx: Context<Registration>): Promise<Answer<User>> {
        return this.accounts.register(ctx.params);
      },
    },

    /**
     * Begins a session. An unknown e-mail address and a wrong password give the same answer after
     * the same work. Can refuse with: INVALID_CREDENTIALS, TRY_AGAIN.
     */
    login: {
      auth: "public",
      params: LOGIN_PARAMS,
      handler(ctx: Context<Credentials>): Promise<Answer<SignedIn>> {
        return this.accounts.login(ctx.params);
      },
    },

    /** Exchanges a refresh token. Can refuse with: REFRESH_TOKEN_INVALID, TRY_AGAIN. */
    refresh: {
      auth: "public",
      params: REFRESH_PARAMS,
      handler(ctx: Context<{ token: string; device: Device }>): Promise<Answer<SignedIn>> {
        return this.accounts.refresh(ctx.params.token, ctx.params.device);
      },
    },

    /** Ends the session of a refresh token. Accepts unknown tokens. Can refuse with: TRY_AGAIN. */
    logout: {
      auth: "public",
      params: { $$strict: true, token: { type: "string" } },
      handler(ctx: Context<{ token: string }>): Promise<Answer<null>> {
        return this.accounts.logout(ctx.params.token);
      },
    },

    /** Ends all sessions of the caller. Can refuse with: TRY_AGAIN. */
    logoutAll: {
      auth: "customer",
      params: { $$strict: true },
      handler(ctx: Context): Promise<Answer<null>> {
        return this.accounts.logoutAll(callerOf(ctx));
      },
    },

    /**
     * Changes the caller's password and ends all other sessions. Can refuse with:
     * INVALID_CREDENTIALS, PASSWORD_TOO_WEAK (with a `detail`), VALIDATION_ERROR, UNAUTHENTICATED,
     * TRY_AGAIN.
     */
    password: {
      auth: "customer",
      params: PASSWORD_PARAMS,
      handler(ctx: Context<PasswordChange>): Promise<Answer<null>> {
        return this.accounts.changePassword(callerOf(ctx), ctx.params);
      },
    },

    ...linkActions,

    /** Lists the caller's sessions, most recently used first. Can refuse with: TRY_AGAIN. */
    "sessions.list": {
      auth: "customer",
      params: { $$strict: true },
      handler(ctx: Context): Promise<Answer<{ items: (SessionView & { current: boolean })[] }>> {
        return this.accounts.listSessions(callerOf(ctx));
      },
    },

    /**
     * Ends one of the caller's sessions. Can refuse with: SESSION_NOT_FOUND (also for an ended
     * session, or one of another account), TRY_AGAIN.
     */
    "sessions.revoke": {
      auth: "customer",
      params: { $$strict: true, sessionId: { type: "uuid" } },
      handler(ctx: Context<{ sessionId: string }>): Promise<Answer<null>> {
        return this.accounts.revokeSession(callerOf(ctx), ctx.params.sessionId);
      },
    },

    /**
     * Reads the caller's User. Can refuse with: UNAUTHENTICATED (also without account),
     * TRY_AGAIN.
     */
    me: {
      auth: "customer",
      params: { $$strict: true },
      handler(ctx: Context): Promise<Answer<User>> {
        return this.accounts.me(callerOf(ctx));
      },
    },

    /**
     * Returns all that is stored about the caller here, without secrets and their hashes. Can
     * refuse with: UNAUTHENTICATED (no account), TRY_AGAIN.
     */
    export: {
      auth: "customer",
      params: { $$strict: true },
      handler(ctx: Context): Promise<Answer<AccountData>> {
        return this.accounts.exportData(callerOf(ctx));
      },
    },

    /**
     * Deletes the caller's account and ends its sessions. Its tickets stay, as those of an id. Can
     * refuse with: INVALID_CREDENTIALS, UNAUTHENTICATED (no account), TRY_AGAIN.
     */
    erase: {
      auth: "customer",
      params: { $$strict: true, password: { type: "string" } },
      handler(ctx: Context<{ password: string }>): Promise<Answer<null>> {
        return this.accounts.erase(callerOf(ctx), ctx.params.password);
      },
    },

    /** Returns the public keys of access tokens, as a JWK set (RFC 7517). */
    keys: {
      auth: "public",
      params: { $$strict: true },
      handler(): Answer<{ keys: PublicJwk[] }> {
        return accepted({ keys: this.keys.published() });
      },
    },

    /**
     * Gives an account a role; a change ends all its sessions. Returns null for an unknown e-mail
     * address. Can refuse with: TRY_AGAIN.
     */
    grant: {
      auth: "operator",
      params: GRANT_PARAMS,
      handler(
        ctx: Context<{ email: string; role: Role }>,
      ): Promise<Answer<{ user: User; changed: boolean } | null>> {
        return this.accounts.grant(ctx.params.email, ctx.params.role);
      },
    },

    /** Finds a user by e-mail address, or null. Can refuse with: TRY_AGAIN. */
    find: {
      auth: "operator",
      params: { $$strict: true, email: { type: "string", max: 254 } },
      handler(
        ctx: Context<{ email: string }>,
      ): Promise<Answer<(User & { sessions: number }) | null>> {
        return this.accounts.find(ctx.params.email);
      },
    },

    /** Lists all operators. Can refuse with: TRY_AGAIN. */
    operators: {
      auth: "operator",
      params: { $$strict: true },
      handler(): Promise<Answer<{ users: User[] }>> {
        return this.accounts.operators();
      },
    },
  },

  methods: {
    /** Deletes ended sessions, again and again. Delays are random, so that nodes do not meet. */
    sweepLater(delayMs: number) {
      const sweep = (): void => {
        this.accounts.sweep().catch((error: unknown) => this.logger.warn(error));
        this.sweepLater(this.settings.sweepEveryMs * (0.5 + Math.random()));
      };
      this.sweepTimer = setTimeout(() => guarded("timer", sweep), delayMs).unref();
    },
  },

  created() {
    const { accessTokenKeysDir, refreshTokenSecret, mailTokenSecret } = configOf(this.broker);
    const { logger, adapter, databases, redis } = this;
    this.keys = openSigningKeys(accessTokenKeysDir, (message) => logger.warn(message));
    const copies = createSessionCopies(redis, refreshTokenSecret);
    const sessions = createSessions(databases.sale, refreshTokenSecret, (facts) => {
      copies.forgetAll(facts.userId);
      logger.warn(facts, "A used refresh token came again: its session has been ended");
    });
    const options = {
      adapter,
      database: databases.sale,
      passwords: createPasswords(),
      sessions,
      copies,
      links: createMailLinks(databases.sale, sessions, mailTokenSecret),
      keys: this.keys,
    };
    this.accounts = new Accounts(options);
    this.links = new AccountLinks(options);
    this.sweepLater(this.settings.sweepEveryMs * Math.random());
  },

  stopped() {
    clearTimeout(this.sweepTimer);
    this.keys.close();
  },
};
export default AuthService;
