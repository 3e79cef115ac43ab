import { ref } from "../openapi/schemas.ts";
import { type Route, objectSchema } from "../routing/route.ts";
import { LANGUAGE, PASSWORD } from "./account.schemas.ts";

/** 256 bits in base64url. */
const TOKEN = { type: "string", pattern: "^[\\w-]{43}$" } as const;

const requestReset: Route = {
  method: "POST",
  path: "/api/auth/password-reset",
  auth: "public",
  about: {
    id: "requestPasswordReset",
    tag: "auth",
    description:
      "Sends a link for a new password, if an account has the address. The answer is the same, and " +
      "takes the same time, if none has. The link works once, for 30 minutes.",
    success: { description: "Accepted" },
  },
  body: {
    required: true,
    schema: objectSchema({ email: { type: "string", minLength: 3, maxLength: 254 } }, ["email"]),
  },
  status: 202,
  audit: "password reset request",
  throttle: "password-reset",
  call: ({ body }, bus) => bus.call("auth.requestPasswordReset", body, false),
};

const resetPassword: Route = {
  method: "POST",
  path: "/api/auth/password-reset/confirm",
  auth: "public",
  about: {
    id: "resetPassword",
    tag: "auth",
    description:
      "Sets a new password by the token of a link, once, and revokes every session. A weak " +
      "password leaves the link usable.",
    success: { description: "Changed" },
    refusals: ["LINK_INVALID", "PASSWORD_TOO_WEAK"],
  },
  body: {
    required: true,
    schema: objectSchema({ token: TOKEN, password: PASSWORD }, ["token", "password"]),
  },
  status: 204,
  audit: "password reset",
  throttle: "link-token",
  call: ({ body }, bus) => bus.call("auth.resetPassword", body, false),
};

const requestConfirmation: Route = {
  method: "POST",
  path: "/api/auth/email-confirmation",
  auth: "customer",
  about: {
    id: "requestEmailConfirmation",
    tag: "auth",
    description: "Sends a link to confirm the caller's e-mail address, unless it is confirmed.",
    success: { description: "Accepted" },
  },
  status: 202,
  audit: "e-mail confirmation request",
  throttle: "confirmation",
  call: (_input, bus) => bus.call("auth.requestConfirmation", {}, false),
};

const confirmEmail: Route = {
  method: "POST",
  path: "/api/auth/email-confirmation/confirm",
  auth: "public",
  about: {
    id: "confirmEmail",
    tag: "auth",
    description: "Confirms an e-mail address by the token of a link, once.",
    success: { description: "Confirmed" },
    refusals: ["LINK_INVALID"],
  },
  body: { required: true, schema: objectSchema({ token: TOKEN }, ["token"]) },
  status: 204,
  audit: "e-mail confirmation",
  throttle: "link-token",
  call: ({ body }, bus) => bus.call("auth.confirmEmail", body, false),
};

const preferences: Route = {
  method: "GET",
  path: "/api/auth/preferences",
  auth: "customer",
  about: {
    id: "getPreferences",
    tag: "auth",
    description: "Which e-mails the caller gets, and in which language.",
    success: { description: "Preferences", schema: ref("Preferences") },
  },
  status: 200,
  call: (_input, bus) => bus.call("auth.preferences.get", {}),
};

const changePreferences: Route = {
  method: "POST",
  path: "/api/auth/preferences",
  auth: "customer",
  about: {
    id: "changePreferences",
    tag: "auth",
    description: "Changes the given preferences. Links for a new password are always sent.",
    success: { description: "All preferences", schema: ref("Preferences") },
  },
  body: {
    required: true,
    schema: objectSchema({
      language: LANGUAGE,
      mailsOff: {
        type: "array",
        uniqueItems: true,
        items: { type: "string", enum: ["receipt", "cancellation", "event-change"] },
      },
    }),
  },
  status: 200,
  audit: "preferences",
  call: ({ body }, bus) => bus.call("auth.preferences.change", body),
};

/** Links in e-mails, and preferences: a new password, the confirmation of an address. */
export const LINK_ROUTES: readonly Route[] = [
  requestReset,
  resetPassword,
  requestConfirmation,
  confirmEmail,
  preferences,
  changePreferences,
];
