import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { type Answered, assertProblem, type HttpClient } from "./http.ts";

export const PASSWORD = "correct horse battery";

export type Tokens = { accessToken: string; refreshToken: string };

/** Reads the session from an answer that must have one. */
export function tokensOf({ json, text, status }: Answered): Tokens {
  assert.equal(status, 200, text);
  return json as Tokens;
}

/** Returns the session of an access token. */
export function sessionOf({ accessToken }: Tokens): string {
  return (
    JSON.parse(Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString()) as {
      sid: string;
    }
  ).sid;
}

export type People = {
  /** Registers a new person and returns the e-mail. */
  person: () => Promise<string>;
  login: (email: string, password?: string, headers?: Record<string, string>) => Promise<Answered>;
  /** Registers a new person and signs in. */
  signedIn: () => Promise<Tokens & { email: string }>;
  refresh: (refreshToken: string, by?: HttpClient) => Promise<Answered>;
  /** Asserts that the token does not work. */
  refused: (refreshToken: string) => Promise<void>;
};

/** People at a gateway, without a browser: they keep their refresh tokens themselves. */
export function peopleAt(ask: HttpClient): People {
  const person = async (): Promise<string> => {
    const email = `${randomUUID()}@example.org`;
    const answer = await ask("POST", "/api/auth/register", {
      json: { email, password: PASSWORD, name: "Ada" },
    });
    assert.equal(answer.status, 201, answer.text);
    return email;
  };
  const login: People["login"] = (email, password = PASSWORD, headers = {}) =>
    ask("POST", "/api/auth/login", { json: { email, password, delivery: "body" }, headers });
  const refresh: People["refresh"] = (refreshToken, by = ask) =>
    by("POST", "/api/auth/refresh", { json: { refreshToken } });
  return {
    person,
    login,
    refresh,
    async signedIn() {
      const email = await person();
      return { email, ...tokensOf(await login(email)) };
    },
    refused: async (refreshToken) =>
      assertProblem(await refresh(refreshToken), 401, "REFRESH_TOKEN_INVALID"),
  };
}
