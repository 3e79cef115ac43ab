import { type Route, objectSchema } from "./route.ts";

const register: Route = {
  method: "POST",
  path: "/api/auth/register",
  auth: "public",
  body: {
    required: true,
    schema: objectSchema(
      {
        email: { type: "string", format: "email", maxLength: 254 },
        password: { type: "string", minLength: 12, maxLength: 128 },
        name: { type: "string", minLength: 1, maxLength: 100 },
      },
      ["email", "password", "name"],
    ),
  },
  status: 201,
  audit: "registration",
  call: ({ body }, bus) => bus.ask("auth.register", body),
};

const login: Route = {
  method: "POST",
  path: "/api/auth/login",
  auth: "public",
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
  // `delivery` says how a refresh token travels; there is none yet, so there is nothing to deliver.
  call: ({ body: { email, password } }, bus) => bus.ask("auth.login", { email, password }),
};

const me: Route = {
  method: "GET",
  path: "/api/auth/me",
  auth: "customer",
  status: 200,
  call: (_input, bus) => bus.ask("auth.me", {}),
};

const keys: Route = {
  method: "GET",
  path: "/.well-known/jwks.json",
  auth: "public",
  status: 200,
  cache: "public, max-age=300",
  call: (_input, bus) => bus.ask("auth.keys", {}),
};

export const AUTH_ROUTES: readonly Route[] = [register, login, me, keys];
