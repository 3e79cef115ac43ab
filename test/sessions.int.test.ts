// Sessions as a thief, a second tab and an owner with two devices meet them: through the gateways of two nodes, on a real PostgreSQL.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { type Engine, startEngine } from "./support/engine.ts";
import { type Answered, assertProblem, type HttpClient, httpClient } from "./support/http.ts";

const PASSWORD = "correct horse battery";
const NEW_PASSWORD = "seven owls read maps";

type Tokens = { accessToken: string; refreshToken: string };
type SessionItem = { id: string; createdAt: string; lastUsedAt: string; userAgent?: string; address?: string; current: boolean };

describe("sessions", () => {
  let engine: Engine;
  let ask: HttpClient;
  let askOther: HttpClient;
  before(async () => {
    // The tests' own address is a proxy's, so that TLS can be said to end there.
    engine = await startEngine({ SERVICES: "api,auth", TRUSTED_PROXIES: "127.0.0.1" });
    ask = httpClient(engine.url);
    askOther = httpClient((await engine.startNode()).url ?? "");
  });
  after(() => engine.close());

  const login = (email: string, password = PASSWORD, headers: Record<string, string> = {}) =>
    ask("POST", "/api/auth/login", { json: { email, password, delivery: "body" }, headers });
  const tokensOf = ({ json, text, status }: Answered): Tokens => {
    assert.equal(status, 200, text);
    return json as Tokens;
  };
  const refresh = (refreshToken: string, by = ask) => by("POST", "/api/auth/refresh", { json: { refreshToken } });
  const refused = async (refreshToken: string) => assertProblem(await refresh(refreshToken), 401, "REFRESH_TOKEN_INVALID");

  async function person(): Promise<string> {
    const email = `${randomUUID()}@example.org`;
    const answer = await ask("POST", "/api/auth/register", { json: { email, password: PASSWORD, name: "Ada" } });
    assert.equal(answer.status, 201, answer.text);
    return email;
  }
  const signedIn = async (): Promise<Tokens & { email: string }> => {
    const email = await person();
    return { email, ...tokensOf(await login(email)) };
  };
  /** Makes everything of a session so much older than it is; only PostgreSQL's clock counts. */
  const age = (token: Tokens, interval: string) =>
    engine.database.query({
      text: `
        WITH s AS (UPDATE user_session SET created_at = created_at - $2::interval, expires_at = expires_at - $2::interval WHERE id = $1)
        UPDATE refresh_token SET rotated_at = rotated_at - $2::interval WHERE session_id = $1`,
      values: [sessionOf(token), interval],
    });
  const sessionOf = ({ accessToken }: Tokens): string =>
    (JSON.parse(Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString()) as { sid: string }).sid;
  const cookieOf = (answer: Answered): string => answer.headers.get("set-cookie") ?? "";

  it("S14: 20 refreshes at once through two gateways have one successor, and nobody is logged out", async () => {
    for (let round = 0; round < 3; round += 1) {
      const first = await signedIn();
      const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => refresh(first.refreshToken, index % 2 ? ask : askOther)));
      const successors = new Set(answers.map((answer) => tokensOf(answer).refreshToken));
      assert.equal(successors.size, 1);
      const [successor = ""] = successors;
      assert.notEqual(successor, first.refreshToken);
      for (const answer of answers) assert.equal((await ask("GET", "/api/auth/me", { token: tokensOf(answer).accessToken })).status, 200);
      const rows = await engine.database.query({ text: "SELECT 1 FROM refresh_token WHERE session_id = $1", values: [sessionOf(first)] });
      assert.equal(rows.length, 2);
      tokensOf(await refresh(successor));
    }
  });

  it("S14: a used token gives the end of the chain for ten seconds; after that it ends the family, also the newest token", async () => {
    const first = await signedIn();
    const second = tokensOf(await refresh(first.refreshToken));
    await age(first, "9 seconds");
    const third = tokensOf(await refresh(second.refreshToken));
    assert.equal(tokensOf(await refresh(first.refreshToken)).refreshToken, third.refreshToken, "the end of two young links");
    assert.equal(tokensOf(await refresh(second.refreshToken)).refreshToken, third.refreshToken);
    assert.equal(sessionOf(third), sessionOf(first));

    await age(first, "2 seconds");
    await refused(first.refreshToken);
    for (const token of [second, third]) await refused(token.refreshToken);
    assert.deepEqual((await ask("GET", "/api/auth/sessions", { token: first.accessToken })).json, { items: [] });
    tokensOf(await login(first.email));
  });

  it("S14: somebody else's, made-up and malformed tokens are refused and end nothing", async () => {
    const { refreshToken } = await signedIn();
    const flipped = (refreshToken.startsWith("A") ? "B" : "A") + refreshToken.slice(1);
    for (const token of ["", "x", flipped, `${refreshToken}=`, ` ${refreshToken}`, "A".repeat(43), "A".repeat(60_000)])
      await refused(token);
    assertProblem(await ask("POST", "/api/auth/refresh"), 401, "REFRESH_TOKEN_INVALID");
    tokensOf(await refresh(refreshToken));
  });

  it("S15: logout ends the session at once, also by a token used before, and answers 204 to any token", async () => {
    const logout = (refreshToken: string) => ask("POST", "/api/auth/logout", { json: { refreshToken } });
    const [used, other] = [await signedIn(), await signedIn()];
    const latest = tokensOf(await refresh(used.refreshToken));
    const answer = await logout(used.refreshToken);
    assert.deepEqual([answer.status, answer.text, answer.headers.get("content-type")], [204, "", null]);
    for (const token of [used, latest]) await refused(token.refreshToken);
    for (const token of [used.refreshToken, "unknown", "A".repeat(43)]) assert.equal((await logout(token)).status, 204);
    assert.equal((await ask("POST", "/api/auth/logout")).status, 204);
    tokensOf(await refresh(other.refreshToken));
  });

  it("S15: logout-all ends every session of the caller and of nobody else", async () => {
    const [first, stranger] = [await signedIn(), await signedIn()];
    const second = tokensOf(await login(first.email));
    assertProblem(await ask("POST", "/api/auth/logout-all"), 401, "UNAUTHENTICATED");
    assert.equal((await ask("POST", "/api/auth/logout-all", { token: second.accessToken })).status, 204);
    for (const token of [first, second]) await refused(token.refreshToken);
    tokensOf(await refresh(stranger.refreshToken));
  });

  it("S15: a change of password ends every other session at once, grace or not, and wants the current one", async () => {
    const mine = await signedIn();
    const other = tokensOf(await login(mine.email));
    const otherNow = tokensOf(await refresh(other.refreshToken));
    const change = (currentPassword: string, newPassword: string, token?: string) =>
      ask("POST", "/api/auth/password", { json: { currentPassword, newPassword }, ...(token !== undefined && { token }) });
    assertProblem(await change(PASSWORD, NEW_PASSWORD), 401, "UNAUTHENTICATED");
    assertProblem(await change(NEW_PASSWORD, NEW_PASSWORD, mine.accessToken), 401, "INVALID_CREDENTIALS");
    assertProblem(await change(PASSWORD, "password1234", mine.accessToken), 422, "PASSWORD_TOO_WEAK");
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
    const beside = await Promise.all([change, ...Array.from({ length: 12 }, () => login(mine.email))]);
    const tokens = beside.slice(1).flatMap((answer) => (answer.status === 200 ? [answer.json as Tokens] : []));
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

  it("S16: the cookie is HttpOnly, strict, bound to its path and to TLS, and the token is in no body, table or log", async () => {
    const email = await person();
    const byCookie = (headers: Record<string, string>) => ask("POST", "/api/auth/login", { json: { email, password: PASSWORD }, headers });
    const shape = (name: string, end: string) =>
      new RegExp(`^${name}=([\\w-]{43}); Path=/api/auth; Max-Age=(\\d+); HttpOnly; SameSite=Strict${end}$`);
    const variants = [
      { headers: {}, expected: shape("refresh", ""), name: "refresh" },
      { headers: { "X-Forwarded-Proto": "https" }, expected: shape("__Secure-refresh", "; Secure"), name: "__Secure-refresh" },
    ];
    const seen: string[] = [];
    for (const { headers, expected, name } of variants) {
      const answer = await byCookie(headers);
      const [, token = "", life] = expected.exec(cookieOf(answer)) ?? assert.fail(cookieOf(answer));
      assert.ok(Number(life) > 7 * 86_400 - 10 && Number(life) <= 7 * 86_400);
      assert.equal(answer.headers.get("cache-control"), "no-store");
      const refreshed = await ask("POST", "/api/auth/refresh", { headers: { ...headers, Cookie: `a=b; ${name}=${token}` } });
      assert.equal(refreshed.status, 200, refreshed.text);
      const [, successor = ""] = expected.exec(cookieOf(refreshed)) ?? assert.fail(cookieOf(refreshed));
      seen.push(token, successor);
      for (const { json, text } of [answer, refreshed]) {
        assert.deepEqual(Object.keys(json ?? {}).sort(), ["accessToken", "expiresIn", "tokenType", "user"]);
        assert.ok(!seen.some((secret) => text.includes(secret)));
      }
      const out = await ask("POST", "/api/auth/logout", { headers: { ...headers, Cookie: `${name}=${successor}` } });
      assert.equal(out.status, 204);
      assert.match(cookieOf(out), new RegExp(`^${name}=; Path=/api/auth; Max-Age=0; HttpOnly; SameSite=Strict`));
      await refused(successor);
    }
    const secure = seen[2] ?? "";
    assertProblem(
      await ask("POST", "/api/auth/refresh", { headers: { Cookie: `__Secure-refresh=${secure}` } }),
      401,
      "REFRESH_TOKEN_INVALID",
    );

    const body = await login(email);
    assert.equal(body.headers.get("set-cookie"), null);
    seen.push(tokensOf(body).refreshToken);
    const rows = await engine.database.query<{ line: string }>({
      text: "SELECT t::text || s::text || encode(t.hash, 'escape') AS line FROM refresh_token t JOIN user_session s ON s.id = t.session_id",
    });
    const kept = rows.map(({ line }) => line).join("\n") + readFileSync(engine.config.auditFile ?? "", "utf8");
    assert.ok(rows.length > 0 && kept.includes(email));
    for (const secret of seen) assert.ok(!kept.includes(secret));
    const hashes = await engine.database.query<{ octets: number }>({
      text: "SELECT DISTINCT octet_length(hash) AS octets FROM refresh_token",
    });
    assert.deepEqual(hashes, [{ octets: 32 }]);
  });

  it("S17: what works by a cookie answers no other site's pages, nor a form", async () => {
    const email = await person();
    const signIn = (headers: Record<string, string> = {}) =>
      ask("POST", "/api/auth/login", { json: { email, password: PASSWORD }, headers });
    const cookie = /^refresh=[\w-]{43}/.exec(cookieOf(await signIn()))?.[0] ?? assert.fail();
    const own = new URL(engine.url).origin;
    const foreign: Record<string, string>[] = [
      { Origin: "https://evil.example" },
      { Origin: "null" },
      { Origin: own.replace(/\d+$/, "1") },
      { Origin: `${own}.evil.example` },
      { "Sec-Fetch-Site": "cross-site" },
      { "Sec-Fetch-Site": "same-site" },
      { "Sec-Fetch-Site": "cross-site", Origin: own },
    ];
    for (const headers of foreign) {
      for (const path of ["/api/auth/refresh", "/api/auth/logout"])
        assertProblem(await ask("POST", path, { headers: { ...headers, Cookie: cookie } }), 403, "CSRF_REFUSED");
      const answer = await signIn(headers);
      assertProblem(answer, 403, "CSRF_REFUSED");
      assert.equal(answer.headers.get("set-cookie"), null);
    }
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "text/plain; application/json",
    ])
      for (const [path, body] of [
        ["/api/auth/refresh", "{}"],
        ["/api/auth/logout", "{}"],
        ["/api/auth/refresh", ""],
        ["/api/auth/login", "{}"],
      ] as const) {
        const headers = { "Content-Type": type, Cookie: cookie };
        assertProblem(await ask("POST", path, { body, headers }), 415, "UNSUPPORTED_MEDIA_TYPE");
      }
    const planted = await ask("POST", "/api/auth/refresh", { headers: { Cookie: `refresh=${"A".repeat(43)}; ${cookie}` } });
    assertProblem(planted, 401, "REFRESH_TOKEN_INVALID");

    for (const headers of [{ Origin: own, "Sec-Fetch-Site": "same-origin" }, {}] as Record<string, string>[])
      assert.equal(
        (await ask("POST", "/api/auth/refresh", { headers: { ...headers, Cookie: cookie } })).status,
        200,
        "all that time it was alive",
      );
    const { refreshToken } = tokensOf(await login(email, PASSWORD, { Origin: "https://evil.example" }));
    assert.ok(refreshToken, "a token in a body is nobody's cookie");
  });

  it("lists the caller's sessions with device, address and last use, and ends one of them", async () => {
    const email = await person();
    const phone = tokensOf(await login(email, PASSWORD, { "User-Agent": "Phone/1", "X-Forwarded-For": "6.6.6.6, 203.0.113.7" }));
    const laptop = tokensOf(await login(email, PASSWORD, { "User-Agent": `Laptop\u00e9${"x".repeat(400)}` }));
    const stranger = await signedIn();
    const list = async (token: Tokens): Promise<SessionItem[]> =>
      (await ask("GET", "/api/auth/sessions", { token: token.accessToken })).json?.items as SessionItem[];
    const [first, second, ...more] = await list(phone);
    assert.ok(first && second && more.length === 0);
    assert.deepEqual(
      [first.id, first.current, first.userAgent?.slice(0, 7), first.userAgent?.length],
      [sessionOf(laptop), false, "Laptop\u00e9", 256],
    );
    assert.deepEqual([second.id, second.current, second.userAgent, second.address], [sessionOf(phone), true, "Phone/1", "203.0.113.7"]);
    assert.ok(Math.abs(Date.parse(second.createdAt) - Date.now()) < 60_000);

    tokensOf(await refresh(phone.refreshToken));
    const [latest] = await list(phone);
    assert.ok(latest?.current === true && latest.lastUsedAt > second.lastUsedAt && latest.createdAt === second.createdAt);

    const end = (id: string, token: Tokens) => ask("DELETE", `/api/auth/sessions/${id}`, { token: token.accessToken });
    for (const id of [sessionOf(stranger), randomUUID()]) assertProblem(await end(id, phone), 404, "SESSION_NOT_FOUND");
    assertProblem(await end("x", phone), 422, "VALIDATION_ERROR");
    assert.equal((await end(sessionOf(laptop), phone)).status, 204);
    assertProblem(await end(sessionOf(laptop), phone), 404, "SESSION_NOT_FOUND");
    await refused(laptop.refreshToken);
    assert.equal((await list(phone)).length, 1);
    tokensOf(await refresh(stranger.refreshToken));
  });

  it("keeps a hundred sessions of an account at most, the latest used", async () => {
    const first = await signedIn();
    await engine.database.query({
      text: `INSERT INTO user_session (id, user_id, created_at, last_used_at, expires_at)
        SELECT gen_random_uuid(), user_id, created_at, now() + interval '1 minute', expires_at FROM user_session, generate_series(1, 99) WHERE id = $1`,
      values: [sessionOf(first)],
    });
    const latest = tokensOf(await login(first.email));
    await refused(first.refreshToken);
    assert.equal(((await ask("GET", "/api/auth/sessions", { token: latest.accessToken })).json?.items as unknown[]).length, 100);
  });
});
