// The refresh cookie: hidden from scripts, other sites and tables.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { type Engine, startEngine } from "../support/engine.ts";
import { type Answered, assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import { PASSWORD, type People, peopleAt, tokensOf } from "../support/fixtures/accounts.ts";

describe("the refresh cookie", () => {
  let engine: Engine;
  let ask: HttpClient;
  let { person, login, refused } = {} as People;
  before(async () => {
    // The tests' own address is a proxy's, so that TLS can be said to end there.
    engine = await startEngine({ SERVICES: "api,auth", TRUSTED_PROXIES: "127.0.0.1" });
    ask = httpClient(engine.url);
    ({ person, login, refused } = peopleAt(ask));
  });
  after(() => engine.close());

  const cookieOf = (answer: Answered): string => answer.headers.get("set-cookie") ?? "";

  it("S16: the cookie is HttpOnly, strict, bound to its path and to TLS, and the token is in no body, table or log", async () => {
    const email = await person();
    const byCookie = (headers: Record<string, string>) =>
      ask("POST", "/api/auth/login", { json: { email, password: PASSWORD }, headers });
    const shape = (name: string, end: string) =>
      new RegExp(
        `^${name}=([\\w-]{43}); Path=/api/auth; Max-Age=(\\d+); HttpOnly; SameSite=Strict${end}$`,
      );
    const variants = [
      { headers: {}, expected: shape("refresh", ""), name: "refresh" },
      {
        headers: { "X-Forwarded-Proto": "https" },
        expected: shape("__Secure-refresh", "; Secure"),
        name: "__Secure-refresh",
      },
    ];
    const seen: string[] = [];
    for (const { headers, expected, name } of variants) {
      const answer = await byCookie(headers);
      const [, token = "", life] = expected.exec(cookieOf(answer)) ?? assert.fail(cookieOf(answer));
      assert.ok(Number(life) > 7 * 86_400 - 10 && Number(life) <= 7 * 86_400);
      assert.equal(answer.headers.get("cache-control"), "no-store");
      const refreshed = await ask("POST", "/api/auth/refresh", {
        headers: { ...headers, Cookie: `a=b; ${name}=${token}` },
      });
      assert.equal(refreshed.status, 200, refreshed.text);
      const [, successor = ""] =
        expected.exec(cookieOf(refreshed)) ?? assert.fail(cookieOf(refreshed));
      seen.push(token, successor);
      for (const { json, text } of [answer, refreshed]) {
        assert.deepEqual(Object.keys(json ?? {}).sort(), [
          "accessToken",
          "expiresIn",
          "tokenType",
          "user",
        ]);
        assert.ok(!seen.some((secret) => text.includes(secret)));
      }
      const out = await ask("POST", "/api/auth/logout", {
        headers: { ...headers, Cookie: `${name}=${successor}` },
      });
      assert.equal(out.status, 204);
      assert.match(
        cookieOf(out),
        new RegExp(`^${name}=; Path=/api/auth; Max-Age=0; HttpOnly; SameSite=Strict`),
      );
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
      text: `SELECT t::text || s::text || encode(t.hash, 'escape') AS line
        FROM refresh_token t JOIN user_session s ON s.id = t.session_id`,
    });
    const kept =
      rows.map(({ line }) => line).join("\n") + readFileSync(engine.config.auditFile ?? "", "utf8");
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
        assertProblem(
          await ask("POST", path, { headers: { ...headers, Cookie: cookie } }),
          403,
          "CSRF_REFUSED",
        );
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
    const planted = await ask("POST", "/api/auth/refresh", {
      headers: { Cookie: `refresh=${"A".repeat(43)}; ${cookie}` },
    });
    assertProblem(planted, 401, "REFRESH_TOKEN_INVALID");

    for (const headers of [{ Origin: own, "Sec-Fetch-Site": "same-origin" }, {}] as Record<
      string,
      string
    >[])
      assert.equal(
        (await ask("POST", "/api/auth/refresh", { headers: { ...headers, Cookie: cookie } }))
          .status,
        200,
        "all that time it was alive",
      );
    const { refreshToken } = tokensOf(
      await login(email, PASSWORD, { Origin: "https://evil.example" }),
    );
    assert.ok(refreshToken, "a token in a body is not a cookie");
  });
});
