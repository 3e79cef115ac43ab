// Answers to hostile requests: methods, media types, errors without details, and no shared caches.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { type Answered, assertProblem, sendRaw } from "../support/http/http.ts";
import { JSON_TYPE, LEAK, openShop, PASSWORD, type Shop } from "../support/fixtures/shop.ts";

describe("answers to hostile requests", () => {
  let engine: Shop["engine"];
  let { ask, eventId, token, ticketId, register, signUp } = {} as Shop;
  before(async () => {
    ({ engine, ask, eventId, token, ticketId, register, signUp } = await openShop());
  });
  after(() => engine.close());

  it("S22: every other method is a 405 that says which there are, and every other media type a 415", async () => {
    const methods: Record<string, string> = {
      "/": "GET, HEAD, OPTIONS",
      "/healthz": "GET, HEAD, OPTIONS",
      "/readyz": "GET, HEAD, OPTIONS",
      "/.well-known/jwks.json": "GET, HEAD, OPTIONS",
      "/api/events": "GET, HEAD, OPTIONS",
      "/api/events/filters": "GET, HEAD, OPTIONS",
      [`/api/events/${eventId}`]: "GET, HEAD, OPTIONS",
      [`/api/events/${eventId}/tickets`]: "POST, OPTIONS",
      "/api/tickets": "GET, HEAD, OPTIONS",
      [`/api/tickets/${ticketId}`]: "GET, DELETE, HEAD, OPTIONS",
      [`/api/transactions/${"0".repeat(128)}`]: "GET, HEAD, OPTIONS",
      "/api/auth/me": "GET, DELETE, HEAD, OPTIONS",
      "/api/auth/me/export": "GET, HEAD, OPTIONS",
      "/api/auth/register": "POST, OPTIONS",
      "/api/auth/login": "POST, OPTIONS",
      "/api/auth/refresh": "POST, OPTIONS",
      "/api/auth/logout": "POST, OPTIONS",
      "/api/auth/logout-all": "POST, OPTIONS",
      "/api/auth/password": "POST, OPTIONS",
      "/api/auth/sessions": "GET, HEAD, OPTIONS",
      [`/api/auth/sessions/${randomUUID()}`]: "DELETE, OPTIONS",
    };
    for (const [path, allow] of Object.entries(methods)) {
      for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]) {
        if (allow.includes(method)) continue;
        const answer = await ask(method, path, { token });
        assert.deepEqual(
          [answer.status, answer.headers.get("allow")],
          [405, allow],
          `${method} ${path}`,
        );
        if (method !== "HEAD") assertProblem(answer, 405, "METHOD_NOT_ALLOWED");
      }
      for (const method of ["TRACE", "PROPFIND"]) {
        const raw = await sendRaw(
          engine.url,
          `${method} ${path} HTTP/1.1\r\nHost: x\r\nX-Secret: echo\r\nConnection: close\r\n\r\n`,
        );
        assert.match(
          raw,
          new RegExp(`^HTTP/1\\.1 405 [^]*\r\nAllow: ${allow}\r\n`),
          `${method} ${path}`,
        );
        assert.doesNotMatch(raw, /X-Secret/i);
      }
      const options = await ask("OPTIONS", path);
      assert.deepEqual([options.status, options.headers.get("allow")], [204, allow]);
    }
    const override = await ask("GET", `/api/tickets/${ticketId}`, {
      token,
      headers: { "X-HTTP-Method-Override": "DELETE", "X-Method": "DELETE" },
    });
    assert.equal(override.json?.status, "active");

    for (const path of [
      `/api/events/${eventId}/tickets`,
      "/api/auth/register",
      "/api/auth/login",
      "/api/auth/password",
      "/api/auth/refresh",
    ])
      for (const type of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "text/json",
        "*/*",
      ])
        assertProblem(
          await ask("POST", path, { token, headers: { "Content-Type": type }, body: "{}" }),
          415,
          "UNSUPPORTED_MEDIA_TYPE",
        );
  });

  it("S23: every error is a problem document and tells nothing of what is behind it", async () => {
    const email = `${randomUUID()}@example.com`;
    await register({ email, password: PASSWORD, name: "Ada" });
    const path = `/api/events/${eventId}/tickets`;
    const key = randomUUID();
    await ask("POST", path, { token, json: { quantity: 2 }, headers: { "Idempotency-Key": key } });
    const [soldOut, over] = [
      await engine.addEvent({ capacity: 0 }),
      await engine.addEvent({ startsInMs: -60_000 }),
    ];
    const login = (password: string) =>
      ask("POST", "/api/auth/login", { json: { email, password } });
    const answers: [status: number, code: string, answer: Answered][] = [
      [400, "MALFORMED", await ask("POST", path, { token, headers: JSON_TYPE, body: "{" })],
      [401, "UNAUTHENTICATED", await ask("GET", "/api/tickets")],
      [401, "UNAUTHENTICATED", await ask("GET", "/api/tickets", { token: `${token}x` })],
      [401, "INVALID_CREDENTIALS", await login("not the password")],
      [
        401,
        "REFRESH_TOKEN_INVALID",
        await ask("POST", "/api/auth/refresh", { json: { refreshToken: "x".repeat(43) } }),
      ],
      [
        403,
        "CSRF_REFUSED",
        await ask("POST", "/api/auth/refresh", { headers: { Origin: "https://evil.example" } }),
      ],
      [404, "NOT_FOUND", await ask("GET", "/api/nothing")],
      [404, "EVENT_NOT_FOUND", await ask("GET", `/api/events/${randomUUID()}`)],
      [404, "TICKET_NOT_FOUND", await ask("GET", `/api/tickets/${randomUUID()}`, { token })],
      [
        404,
        "TRANSACTION_NOT_FOUND",
        await ask("GET", `/api/transactions/${"0".repeat(128)}`, { token }),
      ],
      [
        404,
        "SESSION_NOT_FOUND",
        await ask("DELETE", `/api/auth/sessions/${randomUUID()}`, { token }),
      ],
      [405, "METHOD_NOT_ALLOWED", await ask("PUT", path, { token })],
      [409, "EMAIL_TAKEN", await register({ email, password: PASSWORD, name: "Ada" })],
      [
        409,
        "EVENT_SOLD_OUT",
        await ask("POST", `/api/events/${soldOut}/tickets`, { token, json: {} }),
      ],
      [409, "EVENT_OVER", await ask("POST", `/api/events/${over}/tickets`, { token, json: {} })],
      [409, "PURCHASE_LIMIT_REACHED", await ask("POST", path, { token, json: { quantity: 10 } })],
      [
        413,
        "TOO_LARGE",
        await ask("POST", path, { token, headers: JSON_TYPE, body: `"${"x".repeat(70_000)}"` }),
      ],
      [
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        await ask("POST", path, { token, headers: { "Content-Type": "text/plain" }, body: "{}" }),
      ],
      [422, "VALIDATION_ERROR", await ask("POST", path, { token, json: { quantity: "hunter2" } })],
      [
        422,
        "IDEMPOTENCY_KEY_REUSED",
        await ask("POST", path, {
          token,
          json: { quantity: 1 },
          headers: { "Idempotency-Key": key },
        }),
      ],
      [
        422,
        "PASSWORD_TOO_WEAK",
        await register({
          email: `${randomUUID()}@example.com`,
          password: "password1234",
          name: "Ada",
        }),
      ],
    ];
    // A table that is missing is a fault of ours, a table that is locked an outage: what PostgreSQL
    // says of either stays behind the gateway. Redis has no copy of this ticket.
    const uncopied = `/api/tickets/${randomUUID()}`;
    await engine.database.query({ text: "ALTER TABLE event_tickets RENAME TO event_tickets_away" });
    answers.push([500, "INTERNAL", await ask("GET", uncopied, { token })]);
    await engine.database.query({ text: "ALTER TABLE event_tickets_away RENAME TO event_tickets" });
    await engine.database.transaction(async (connection) => {
      await connection.query({ text: "LOCK TABLE event_tickets IN ACCESS EXCLUSIVE MODE" });
      answers.push([503, "TRY_AGAIN", await ask("GET", uncopied, { token })]);
    });
    for (const [status, code, answer] of answers) {
      assertProblem(answer, status, code, [
        "available",
        "limit",
        "active",
        "reason",
        "suggestions",
      ]);
      assert.doesNotMatch(answer.text, LEAK, code);
      assert.ok(
        !answer.text.includes("hunter2") && !answer.text.includes(PASSWORD),
        "no value of the client's is repeated",
      );
      const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
      assert.doesNotMatch(headers, /x-powered-by|^server:|moleculer|node/im, code);
    }
    assert.match(
      await sendRaw(engine.url, "GARBAGE\r\n\r\n"),
      /^HTTP\/1\.1 400 [^]*application\/problem\+json[^]*"code":"MALFORMED"/,
    );
    assert.equal((await ask("GET", `/api/tickets/${ticketId}`, { token })).status, 200);
  });

  it("S27: a caller's answers are kept for no other caller", async () => {
    const people = [await signUp(), await signUp()];
    const [first, second] = people.map(({ accessToken }) => accessToken) as [string, string];
    const bought = await ask("POST", `/api/events/${eventId}/tickets`, { token: first, json: {} });
    const ticket = (bought.json?.tickets as { id: string }[])[0]?.id ?? "";
    const personal: [method: string, path: string, json?: object][] = [
      ["GET", "/api/auth/me"],
      ["GET", "/api/auth/sessions"],
      ["GET", "/api/tickets"],
      ["HEAD", "/api/tickets"],
      ["GET", `/api/tickets/${ticket}`],
      ["GET", `/api/transactions/${String(bought.json?.transactionId)}`],
      ["POST", "/api/auth/login", { email: people[0]?.email, password: PASSWORD }],
      ["POST", `/api/events/${eventId}/tickets`, {}],
      ["DELETE", `/api/tickets/${ticket}`],
    ];
    assert.equal(bought.headers.get("cache-control"), "no-store");
    for (const [method, path, json] of personal) {
      const answer = await ask(method, path, { token: first, ...(json && { json }) });
      assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
      assert.equal(answer.headers.get("cache-control"), "no-store", `${method} ${path}`);
      assert.equal(answer.headers.get("etag"), null, `${method} ${path}`);
    }
    // One after the other on the same warm paths, and at once: everybody sees their own.
    const mine = async (token: string): Promise<string> =>
      String((await ask("GET", "/api/auth/me", { token })).json?.email);
    const listed = async (token: string): Promise<number> =>
      ((await ask("GET", "/api/tickets", { token })).json?.items as unknown[]).length;
    for (let round = 0; round < 3; round += 1) {
      assert.deepEqual(
        [await mine(first), await mine(second)],
        people.map(({ email }) => email),
      );
      assert.deepEqual(
        await Promise.all([listed(first), listed(second), listed(first), listed(second)]),
        [2, 0, 2, 0],
      );
    }
    assertProblem(await ask("GET", "/api/tickets"), 401, "UNAUTHENTICATED");
    // A public page is the same for every caller, with a token or without.
    const [anonymous, signedIn] = [
      await ask("GET", `/api/events/${eventId}`),
      await ask("GET", `/api/events/${eventId}`, { token: first }),
    ];
    assert.deepEqual(Object.keys(anonymous.json ?? {}), Object.keys(signedIn.json ?? {}));
  });
});
