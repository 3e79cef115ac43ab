// Sessions of a thief, a second tab, and an owner with two devices, through two nodes' gateways.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { createSessions } from "../../services/auth/session-store.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import {
  PASSWORD,
  type People,
  peopleAt,
  sessionOf,
  type Tokens,
  tokensOf,
} from "../support/fixtures/accounts.ts";

const NEW_PASSWORD = "seven owls read maps";

type SessionItem = {
  id: string;
  createdAt: string;
  lastUsedAt: string;
  userAgent?: string;
  address?: string;
  current: boolean;
};

describe("sessions", () => {
  let engine: Engine;
  let ask: HttpClient;
  let askOther: HttpClient;
  let { person, login, signedIn, refresh, refused } = {} as People;
  before(async () => {
    // The tests' own address is a proxy's, so that TLS can be said to end there.
    engine = await startEngine({ SERVICES: "api,auth", TRUSTED_PROXIES: "127.0.0.1" });
    ask = httpClient(engine.url);
    ({ person, login, signedIn, refresh, refused } = peopleAt(ask));
    askOther = httpClient((await engine.startNode()).url ?? "");
  });
  after(() => engine.close());

  /** Makes everything of a session so much older than it is; only PostgreSQL's clock counts. */
  const age = (token: Tokens, interval: string) =>
    engine.database.query({
      text: `
        WITH s AS (UPDATE user_session SET created_at = created_at - $2::interval,
          expires_at = expires_at - $2::interval WHERE id = $1)
        UPDATE refresh_token SET rotated_at = rotated_at - $2::interval WHERE session_id = $1`,
      values: [sessionOf(token), interval],
    });

  it("S14: 20 refreshes at once through two gateways have one successor and end no session", async () => {
    for (let round = 0; round < 3; round += 1) {
      const first = await signedIn();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          refresh(first.refreshToken, index % 2 ? ask : askOther),
        ),
      );
      const successors = new Set(answers.map((answer) => tokensOf(answer).refreshToken));
      assert.equal(successors.size, 1);
      const [successor = ""] = successors;
      assert.notEqual(successor, first.refreshToken);
      for (const answer of answers)
        assert.equal(
          (await ask("GET", "/api/auth/me", { token: tokensOf(answer).accessToken })).status,
          200,
        );
      const rows = await engine.database.query({
        text: "SELECT 1 FROM refresh_token WHERE session_id = $1",
        values: [sessionOf(first)],
      });
      assert.equal(rows.length, 2);
      tokensOf(await refresh(successor));
    }
  });

  it("S14: a used token gives the end of the chain for ten seconds; after that it ends the family, also the newest token", async () => {
    const first = await signedIn();
    const second = tokensOf(await refresh(first.refreshToken));
    await age(first, "9 seconds");
    const third = tokensOf(await refresh(second.refreshToken));
    assert.equal(
      tokensOf(await refresh(first.refreshToken)).refreshToken,
      third.refreshToken,
      "the end of two young links",
    );
    assert.equal(tokensOf(await refresh(second.refreshToken)).refreshToken, third.refreshToken);
    assert.equal(sessionOf(third), sessionOf(first));

    await age(first, "2 seconds");
    await refused(first.refreshToken);
    for (const token of [second, third]) await refused(token.refreshToken);
    assert.deepEqual((await ask("GET", "/api/auth/sessions", { token: first.accessToken })).json, {
      items: [],
    });
    tokensOf(await login(first.email));
  });

  it("S14: foreign, made-up and malformed tokens are refused and end nothing", async () => {
    const { refreshToken } = await signedIn();
    const flipped = (refreshToken.startsWith("A") ? "B" : "A") + refreshToken.slice(1);
    for (const token of [
      "",
      "x",
      flipped,
      `${refreshToken}=`,
      ` ${refreshToken}`,
      "A".repeat(43),
      "A".repeat(60_000),
    ])
      await refused(token);
    assertProblem(await ask("POST", "/api/auth/refresh"), 401, "REFRESH_TOKEN_INVALID");
    tokensOf(await refresh(refreshToken));
  });

  it("S15: logout ends the session at once, also by a token used before, and answers 204 to any token", async () => {
    const logout = (refreshToken: string) =>
      ask("POST", "/api/auth/logout", { json: { refreshToken } });
    const [used, other] = [await signedIn(), await signedIn()];
    const latest = tokensOf(await refresh(used.refreshToken));
    const answer = await logout(used.refreshToken);
    assert.deepEqual(
      [answer.status, answer.text, answer.headers.get("content-type")],
      [204, "", null],
    );
    for (const token of [used, latest]) await refused(token.refreshToken);
    for (const token of [used.refreshToken, "unknown", "A".repeat(43)])
      assert.equal((await logout(token)).status, 204);
    assert.equal((await ask("POST", "/api/auth/logout")).status, 204);
    tokensOf(await refresh(other.refreshToken));
  });

  it("S15: logout-all ends every session of the caller and no other", async () => {
    const [first, stranger] = [await signedIn(), await signedIn()];
    const second = tokensOf(await login(first.email));
    assertProblem(await ask("POST", "/api/auth/logout-all"), 401, "UNAUTHENTICATED");
    assert.equal(
      (await ask("POST", "/api/auth/logout-all", { token: second.accessToken })).status,
      204,
    );
    for (const token of [first, second]) await refused(token.refreshToken);
    tokensOf(await refresh(stranger.refreshToken));
  });

  it("S15: a change of password ends every other session at once, grace or not, and wants the current one", async () => {
    const mine = await signedIn();
    const other = tokensOf(await login(mine.email));
    const otherNow = tokensOf(await refresh(other.refreshToken));
    const change = (currentPassword: string, newPassword: string, token?: string) =>
      ask("POST", "/api/auth/password", {
        json: { currentPassword, newPassword },
        ...(token !== undefined && { token }),
      });
    assertProblem(await change(PASSWORD, NEW_PASSWORD), 401, "UNAUTHENTICATED");
    assertProblem(
      await change(NEW_PASSWORD, NEW_PASSWORD, mine.accessToken),
      401,
      "INVALID_CREDENTIALS",
    );
    assertProblem(
      await change(PASSWORD, "password1234", mine.accessToken),
      422,
      "PASSWORD_TOO_WEAK",
    );
    assertProblem(await change(PASSWORD, mine.email, mine.accessToken), 422, "PASSWORD_TOO_WEAK");
    assertProblem(await change(PASSWORD, "eleven char", mine.accessToken), 422, "VALIDATION_ERROR");
    tokensOf(await refresh(otherNow.refreshToken));
    assert.equal((await change(PASSWORD, NEW_PASSWORD, mine.accessToken)).status, 204);
    for (const token of [other, otherNow]) await refused(token.refreshToken);
    tokensOf(await refresh(mine.refreshToken));
    assertProblem(await login(mine.email), 401, "INVALID_CREDENTIALS");
    tokensOf(await login(mine.email, NEW_PASSWORD));
  });

  it("S15: no sign-in with the old password outlives the change of it", async () => {
    const mine = await signedIn();
    const change = ask("POST", "/api/auth/password", {
      json: { currentPassword: PASSWORD, newPassword: NEW_PASSWORD },
      token: mine.accessToken,
    });
    const beside = await Promise.all([
      change,
      ...Array.from({ length: 12 }, () => login(mine.email)),
    ]);
    const tokens = beside
      .slice(1)
      .flatMap((answer) => (answer.status === 200 ? [answer.json as Tokens] : []));
    assert.equal(beside[0]?.status, 204, beside[0]?.text);
    for (const token of tokens) await refused(token.refreshToken);
  });

  it("S15: seven days after the sign-in it is over, however often it was refreshed", async () => {
    const first = await signedIn();
    await age(first, "6 days 23 hours 59 minutes");
    const second = tokensOf(await refresh(first.refreshToken));
    await age(first, "2 minutes");
    await refused(second.refreshToken);
  });

  it("lists the caller's sessions with device, address and last use, and ends one of them", async () => {
    const email = await person();
    const phone = tokensOf(
      await login(email, PASSWORD, {
        "User-Agent": "Phone/1",
        "X-Forwarded-For": "6.6.6.6, 203.0.113.7",
      }),
    );
    const laptop = tokensOf(
      await login(email, PASSWORD, { "User-Agent": `Laptop\u00e9${"x".repeat(400)}` }),
    );
    const stranger = await signedIn();
    const list = async (token: Tokens): Promise<SessionItem[]> =>
      (await ask("GET", "/api/auth/sessions", { token: token.accessToken })).json
        ?.items as SessionItem[];
    const [first, second, ...more] = await list(phone);
    assert.ok(first && second && more.length === 0);
    assert.deepEqual(
      [first.id, first.current, first.userAgent?.slice(0, 7), first.userAgent?.length],
      [sessionOf(laptop), false, "Laptop\u00e9", 256],
    );
    assert.deepEqual(
      [second.id, second.current, second.userAgent, second.address],
      [sessionOf(phone), true, "Phone/1", "203.0.113.7"],
    );
    assert.ok(Math.abs(Date.parse(second.createdAt) - Date.now()) < 60_000);

    tokensOf(await refresh(phone.refreshToken));
    const [latest] = await list(phone);
    assert.ok(
      latest?.current === true &&
        latest.lastUsedAt > second.lastUsedAt &&
        latest.createdAt === second.createdAt,
    );

    const end = (id: string, token: Tokens) =>
      ask("DELETE", `/api/auth/sessions/${id}`, { token: token.accessToken });
    for (const id of [sessionOf(stranger), randomUUID()])
      assertProblem(await end(id, phone), 404, "SESSION_NOT_FOUND");
    assertProblem(await end("x", phone), 422, "VALIDATION_ERROR");
    assert.equal((await end(sessionOf(laptop), phone)).status, 204);
    assertProblem(await end(sessionOf(laptop), phone), 404, "SESSION_NOT_FOUND");
    await refused(laptop.refreshToken);
    assert.equal((await list(phone)).length, 1);
    tokensOf(await refresh(stranger.refreshToken));
  });

  it("deletes what has ended, in bounded steps, on two nodes at once, and nothing else", async () => {
    const [alive, justEnded] = [await signedIn(), await signedIn()];
    await ask("POST", "/api/auth/logout", { json: { refreshToken: justEnded.refreshToken } });
    await engine.database.query({
      text: `WITH over AS (
          INSERT INTO user_session (id, user_id, created_at, last_used_at, expires_at, revoked_at)
          SELECT gen_random_uuid(), user_id, created_at, last_used_at,
            now() + CASE WHEN n <= 450 THEN interval '-1 s' ELSE interval '1 day' END,
            CASE WHEN n > 450 THEN now() - interval '2 hours' END
          FROM user_session, generate_series(1, 700) AS n WHERE id = $1 RETURNING id)
        INSERT INTO refresh_token (hash, session_id, created_at)
        SELECT uuid_send(id), id, now() FROM over`,
      values: [sessionOf(alive)],
    });
    const nodes = Array.from({ length: 2 }, () =>
      createSessions(engine.database, "unused here", () => undefined),
    );
    await Promise.all(nodes.map((sessions) => sessions.sweep()));
    await nodes[0]?.sweep();
    const [left] = await engine.database.query<{ over: number; tokens: number }>({
      text: `SELECT count(*) FILTER (
            WHERE expires_at < now() OR revoked_at < now() - interval '1 hour')::float8 AS over,
          (SELECT count(*)::float8 FROM refresh_token WHERE octet_length(hash) = 16) AS tokens
        FROM user_session`,
    });
    assert.deepEqual(left, { over: 0, tokens: 0 });
    const kept = await engine.database.query({
      text: "SELECT 1 FROM user_session WHERE id = ANY($1)",
      values: [[alive, justEnded].map(sessionOf)],
    });
    assert.equal(kept.length, 2);
    tokensOf(await refresh(alive.refreshToken));
  });

  it("keeps a hundred sessions of an account at most, the latest used", async () => {
    const first = await signedIn();
    await engine.database.query({
      text: `INSERT INTO user_session (id, user_id, created_at, last_used_at, expires_at)
        SELECT gen_random_uuid(), user_id, created_at, now() + interval '1 minute', expires_at
        FROM user_session, generate_series(1, 99) WHERE id = $1`,
      values: [sessionOf(first)],
    });
    const latest = tokensOf(await login(first.email));
    await refused(first.refreshToken);
    assert.equal(
      (
        (await ask("GET", "/api/auth/sessions", { token: latest.accessToken })).json
          ?.items as unknown[]
      ).length,
      100,
    );
  });
});
