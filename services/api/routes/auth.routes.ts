import { type Answer, accepted, refused } from "../../../domain/refusal.ts";
import { listOf, record, ref } from "../openapi/schemas.ts";
import type { Client } from "../http/client-info.ts";
import { refreshCookie } from "../http/refresh-cookie.ts";
import { LANGUAGE, PASSWORD } from "./account.schemas.ts";
import { type Input, type Route, UUID, objectSchema } from "../routing/route.ts";

const REFRESH_BODY = {
  required: false,
  schema: objectSchema({ refreshToken: { type: "string" } }),
};

const register: Route = {
  method: "POST",
  path: "/api/auth/register",
  auth: "public",
  about: {
    id: "register",
    tag: "auth",
    description: "Creates an account. Passwords that are short or easy to guess are refused.",
    success: { description: "The new user", schema: ref("User") },
    refusals: ["EMAIL_TAKEN", "PASSWORD_TOO_WEAK"],
  },
  body: {
    required: true,
    schema: objectSchema(
      {
        email: {
          type: "string",
          format: "email",
          maxLength: 254,
          description: "Blanks around it are dropped, as at sign-in",
        },
        password: PASSWORD,
        name: { type: "string", minLength: 1, maxLength: 100, pattern: "\\S" },
        language: { ...LANGUAGE, description: "Language of e-mails; English by default" },
      },
      ["email", "password", "name"],
    ),
  },
  status: 201,
  audit: "registration",
  throttle: "registration",
  call: ({ body }, bus) => bus.call("auth.register", body, false),
};

const login: Route = {
  method: "POST",
  path: "/api/auth/login",
  auth: "public",
  about: {
    id: "login",
    tag: "auth",
    description:
      "`delivery: cookie` (the default) sets the refresh token as an HttpOnly, SameSite=Strict " +
      "cookie scoped to /api/auth and keeps it out of the body; `delivery: body` returns it as " +
      "`refreshToken` and sets no cookie (for native and server clients). An unknown e-mail and " +
      "a wrong password get the same answer.",
    success: { description: "Signed in", schema: ref("Session") },
    refusals: ["INVALID_CREDENTIALS", "CSRF_REFUSED"],
  },
  body: {
    required: true,
    schema: objectSchema(
      {
        email: { type: "string" },
        password: { type: "string" },
        delivery: { type: "string", enum: ["cookie", "body"], default: "cookie" },
      },
      ["email", "password"],
    ),
  },
  status: 200,
  audit: "sign-in",
  throttle: "sign-in",
  cookie: true,
  async call({ body: { email, password, delivery }, client }, bus) {
    const from = client();
    // Login CSRF: a foreign page must not sign a user in.
    if (delivery === "cookie" && from.foreign) return refused("CSRF_REFUSED");
    return bus.call("auth.login", { email, password, device: deviceOf(from) });
  },
  success: (value, input) => sessionReply(value, input, input.body.delivery === "cookie"),
};

const refresh: Route = {
  method: "POST",
  path: "/api/auth/refresh",
  auth: "public",
  about: {
    id: "refresh",
    tag: "auth",
    description:
      "Rotates the refresh token (from the cookie, or from the body). Within 10 s of its use the " +
      "same successor is returned again; later use of a rotated token revokes its whole session.",
    success: { description: "New tokens over the channel of the old one", schema: ref("Session") },
    refusals: ["REFRESH_TOKEN_INVALID", "CSRF_REFUSED"],
  },
  body: REFRESH_BODY,
  status: 200,
  audit: "refresh",
  cookie: true,
  async call(input, bus) {
    const presented = presentedToken(input);
    return presented.ok
      ? bus.call("auth.refresh", { token: presented.value, device: deviceOf(input.client()) })
      : presented;
  },
  success: (value, input) => sessionReply(value, input, input.body.refreshToken === undefined),
};

const logout: Route = {
  method: "POST",
  path: "/api/auth/logout",
  auth: "public",
  about: {
    id: "logout",
    tag: "auth",
    description:
      "Revokes the session of the refresh token (from the cookie, or from the body). 204 also " +
      "for an unknown token.",
    success: { description: "Revoked" },
    refusals: ["CSRF_REFUSED"],
  },
  body: REFRESH_BODY,
  status: 204,
  audit: "sign-out",
  cookie: true,
  async call(input, bus) {
    const presented = presentedToken(input);
    if (presented.ok) return bus.call("auth.logout", { token: presented.value });
    return presented.refusal.code === "REFRESH_TOKEN_INVALID" ? accepted(null) : presented;
  },
  success: (_value, { body, client }) => ({
    headers: body.refreshToken === undefined ? removedCookie(client()) : {},
    body: undefined,
  }),
};

const logoutAll: Route = {
  method: "POST",
  path: "/api/auth/logout-all",
  auth: "customer",
  about: {
    id: "logoutAll",
    tag: "auth",
    description: "Revokes every session of the caller.",
    success: { description: "Revoked" },
  },
  status: 204,
  audit: "sign-out everywhere",
  call: (_input, bus) => bus.call("auth.logoutAll", {}),
  success: (_value, { client }) => ({ headers: removedCookie(client()), body: undefined }),
};

const password: Route = {
  method: "POST",
  path: "/api/auth/password",
  auth: "customer",
  about: {
    id: "changePassword",
    tag: "auth",
    description: "Changes the password and revokes every other session.",
    success: { description: "Changed" },
    refusals: ["INVALID_CREDENTIALS", "PASSWORD_TOO_WEAK"],
  },
  body: {
    required: true,
    schema: objectSchema({ currentPassword: { type: "string" }, newPassword: PASSWORD }, [
      "currentPassword",
      "newPassword",
    ]),
  },
  status: 204,
  audit: "password change",
  throttle: "password",
  call: ({ body }, bus) => bus.call("auth.password", body),
};

const sessions: Route = {
  method: "GET",
  path: "/api/auth/sessions",
  auth: "customer",
  about: {
    id: "listSessions",
    tag: "auth",
    description: "Lists the caller's sessions, the latest used first, and marks the current one.",
    success: { description: "Sessions", schema: record({ items: listOf(ref("SignedInSession")) }) },
  },
  status: 200,
  call: (_input, bus) => bus.call("auth.sessions.list", {}),
};

const revokeSession: Route = {
  method: "DELETE",
  path: "/api/auth/sessions/{sessionId}",
  auth: "customer",
  about: {
    id: "endSession",
    tag: "auth",
    description: "Revokes one of the caller's sessions.",
    success: { description: "Revoked" },
    refusals: ["SESSION_NOT_FOUND"],
  },
  params: objectSchema({ sessionId: UUID }, ["sessionId"]),
  status: 204,
  audit: "session revocation",
  call: ({ params }, bus) => bus.call("auth.sessions.revoke", params),
};

const me: Route = {
  method: "GET",
  path: "/api/auth/me",
  auth: "customer",
  about: {
    id: "getMe",
    tag: "auth",
    description: "The account of the caller.",
    success: { description: "The caller", schema: ref("User") },
  },
  status: 200,
  call: (_input, bus) => bus.call("auth.me", {}),
};

const keys: Route = {
  method: "GET",
  path: "/.well-known/jwks.json",
  auth: "public",
  about: {
    id: "getKeys",
    tag: "auth",
    description: "The public keys that verify access tokens (RFC 7517).",
    success: { description: "A JWK set", schema: record({ keys: listOf({ type: "object" }) }) },
  },
  status: 200,
  // A new key waits this long before it signs.
  cache: "public, max-age=10",
  call: (_input, bus) => bus.call("auth.keys", {}),
};

export const AUTH_ROUTES: readonly Route[] = [
  register,
  login,
  refresh,
  logout,
  logoutAll,
  password,
  sessions,
  revokeSession,
  me,
  keys,
];

/**
 * Takes the refresh token of the body, else of the cookie. Browsers add cookies to foreign requests
 * as well, so a cookie counts for our own pages only. Can refuse with: CSRF_REFUSED,
 * REFRESH_TOKEN_INVALID (there is none).
 */
function presentedToken({ body, client }: Input): Answer<string> {
  if (typeof body.refreshToken === "string") return accepted(body.refreshToken);
  const { foreign, refreshCookie: cookie } = client();
  if (foreign) return refused("CSRF_REFUSED");
  return cookie === undefined ? refused("REFRESH_TOKEN_INVALID") : accepted(cookie);
}

/** Builds a Session: the refresh token is in an HttpOnly cookie or in the body, never in both. */
function sessionReply(
  value: unknown,
  { client }: Input,
  byCookie: boolean,
): { headers: Record<string, string>; body: unknown } {
  const { refreshToken, refreshLifeS, ...session } = value as {
    refreshToken: string;
    refreshLifeS: number;
  };
  if (!byCookie) return { headers: {}, body: { ...session, refreshToken } };
  return {
    headers: { "Set-Cookie": refreshCookie(refreshToken, refreshLifeS, client().secure) },
    body: session,
  };
}

/** Headers that remove the refresh cookie, where the client has one. */
export function removedCookie(client: Client): Record<string, string> {
  return client.refreshCookie === undefined
    ? {}
    : { "Set-Cookie": refreshCookie("", 0, client.secure) };
}

function deviceOf({ userAgent, address }: Client): { userAgent?: string; address: string } {
  return { address, ...(userAgent !== undefined && { userAgent }) };
}
