import type { Context, ServiceSchema, ServiceSettingSchema } from "moleculer";
import type { Answer } from "../../domain/refusal.ts";
import { callerOf } from "../../mixins/action.middleware.ts";
import type { AccountLinks, PasswordReset } from "./account-links.ts";
import {
  CONFIRM_PARAMS,
  PREFERENCES_PARAMS,
  REQUEST_RESET_PARAMS,
  RESET_PARAMS,
} from "./auth.params.ts";
import type { Preferences, PreferencesChange } from "./preferences.ts";

type Vars = { links: AccountLinks };

/** Actions by links in e-mails, and preferences. */
export const linkActions: NonNullable<
  // eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- no methods
  ServiceSchema<ServiceSettingSchema, Record<never, never>, Vars>["actions"]
> = {
  /**
   * Sends a link for a new password, if an account has the address. Known and unknown addresses
   * get the same answer after the same work. Can refuse with: TRY_AGAIN.
   */
  requestPasswordReset: {
    auth: "public",
    params: REQUEST_RESET_PARAMS,
    handler(ctx: Context<{ email: string }>): Promise<Answer<null>> {
      return this.links.requestPasswordReset(ctx.params.email);
    },
  },

  /**
   * Sets a new password by a link's token, once, and ends all sessions. Can refuse with:
   * LINK_INVALID, PASSWORD_TOO_WEAK (with a `detail`), VALIDATION_ERROR, TRY_AGAIN.
   */
  resetPassword: {
    auth: "public",
    params: RESET_PARAMS,
    handler(ctx: Context<PasswordReset>): Promise<Answer<null>> {
      return this.links.resetPassword(ctx.params);
    },
  },

  /** Sends a link to confirm the caller's address, unless it is confirmed. Refuses: TRY_AGAIN. */
  requestConfirmation: {
    auth: "customer",
    params: { $$strict: true },
    handler(ctx: Context): Promise<Answer<null>> {
      return this.links.requestConfirmation(callerOf(ctx));
    },
  },

  /** Confirms an address by a link's token. Can refuse with: LINK_INVALID, TRY_AGAIN. */
  confirmEmail: {
    auth: "public",
    params: CONFIRM_PARAMS,
    handler(ctx: Context<{ token: string }>): Promise<Answer<null>> {
      return this.links.confirmEmail(ctx.params.token);
    },
  },

  /** Reads the caller's preferences. Can refuse with: UNAUTHENTICATED, TRY_AGAIN. */
  "preferences.get": {
    auth: "customer",
    params: { $$strict: true },
    handler(ctx: Context): Promise<Answer<Preferences>> {
      return this.links.preferences(callerOf(ctx));
    },
  },

  /** Changes the given preferences, returns all. Can refuse with: UNAUTHENTICATED, TRY_AGAIN. */
  "preferences.change": {
    auth: "customer",
    params: PREFERENCES_PARAMS,
    handler(ctx: Context<PreferencesChange>): Promise<Answer<Preferences>> {
      return this.links.changePreferences(callerOf(ctx), ctx.params);
    },
  },
};
