// Requests no honest client sends: fields that are not offered, values no column holds, methods and types nobody asked for; and answers that leak.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { type Engine, startEngine } from "../support/engine.ts";
import {
  type Answered,
  assertProblem,
  type HttpClient,
  httpClient,
  sendRaw,
} from "../support/http.ts";
import { waitFor } from "../support/wait-for.ts";

const PASSWORD = "plain pigeons prefer puddles";
const JSON_TYPE = { "Content-Type": "application/json" };

/** What no answer may hold: a stack, a statement, a table, a file, a server's address or name, a secret. */
const LEAK =
  /\bat [\w.<>]+ \(|node_modules|\.ts\b|\b(?:SELECT|INSERT|UPDATE|DELETE) |event_tickets|user_account|relation|constraint|postgres|redis:|amqp|nats|sequelize|moleculer|127\.0\.0\.1|localhost|ECONN|argon2|password_hash/i;

describe("hostile requests", () => {
  let engine: Engine;
  let ask: HttpClient;
  let eventId: string;
  let token: string;
  let ticketId: string;
  before(async () => {
    engine = await startEngine();
    ask = httpClient(engine.url);
    eventId = await engine.addEvent({ capacity: 1_000 });
    token = engine.accessToken();
    const buy = async (): Promise<Answered | false> => {
      const answer = await ask("POST", `/api/events/${eventId}/tickets`, { token, json: {} });
      return answer.status === 201 && answer;
    };
    const bought = await waitFor(buy, { withinMs: 15_000, what: "A ticket was sold" });
    ticketId = (bought.json?.tickets as { id: string }[])[0]?.id ?? "";
  });
  after(() => engine.close());

  const register = (body: object): Promise<Answered> =>
    ask("POST", "/api/auth/register", { json: body });
  const signUp = async (): Promise<{ email: string; accessToken: string }> => {
    const email = `${randomUUID()}@example.com`;
    assert.equal((await register({ email, password: PASSWORD, name: "Ada" })).status, 201);
    const { json } = await ask("POST", "/api/auth/login", { json: { email, password: PASSWORD } });
    return { email, accessToken: String(json?.accessToken) };
  };
  const refuses = async (method: string, path: string, body: string, as = token): Promise<void> => {
    const answer = await ask(method, path, { token: as, headers: JSON_TYPE, body });
    assertProblem(answer, 422, "VALIDATION_ERROR");
  };

  it("S19: no field is set that is not offered", async () => {
    const { email, accessToken } = await signUp();
    const offered: [method: string, path: string, body: Record<string, unknown>][] = [
      [
        "POST",
        "/api/auth/register",
        { email: `${randomUUID()}@example.com`, password: PASSWORD, name: "Eve" },
      ],
      ["POST", "/api/auth/login", { email, password: PASSWORD }],
      [
        "POST",
        "/api/auth/password",
        { currentPassword: PASSWORD, newPassword: "another passphrase of mine" },
      ],
      ["POST", "/api/auth/refresh", { refreshToken: "x".repeat(43) }],
      ["POST", "/api/auth/logout", { refreshToken: "x".repeat(43) }],
      ["POST", `/api/events/${eventId}/tickets`, { quantity: 1 }],
    ];
    const names = [
      "role",
      "id",
      "userId",
      "emailKey",
      "passwordHash",
      "available",
      "price",
      "transactionId",
      "eventId",
      "constructor",
    ];
    for (const [method, path, body] of offered) {
      for (const name of names)
        await refuses(method, path, JSON.stringify({ ...body, [name]: "operator" }), accessToken);
      // As text: assigning __proto__ in JavaScript would make no member of it.
      await refuses(
        method,
        path,
        `{"__proto__":{"role":"operator"},${JSON.stringify(body).slice(1)}`,
        accessToken,
      );
    }
    for (const query of ["role=operator", "userId=1", "__proto__[role]=operator"])
      for (const path of [
        `/api/events/${eventId}/tickets`,
        "/api/tickets",
        "/api/auth/me",
        `/api/tickets/${ticketId}`,
      ]) {
        const method = path.endsWith("/tickets") && path !== "/api/tickets" ? "POST" : "GET";
        assertProblem(
          await ask(method, `${path}?${query}`, { token: accessToken }),
          422,
          "VALIDATION_ERROR",
        );
      }
    assert.equal((await ask("GET", "/api/auth/me", { token: accessToken })).json?.role, "customer");
    const operators = await engine.database.query({
      text: "SELECT id FROM user_account WHERE role <> 'customer' OR name = 'Eve'",
    });
    assert.deepEqual(operators, []);
    assert.deepEqual(
      (await ask("GET", "/api/tickets", { token: accessToken })).json?.items,
      [],
      "nothing was sold on the way",
    );
  });

  it("S20: bad input is a 4xx and never a 500", async () => {
    const numbers = [
      "-1",
      "0",
      "11",
      "1.5",
      "1e400",
      "-0.5",
      "99999999999999999999",
      '"1"',
      "[1]",
      "{}",
      "null",
      "true",
      "NaN",
      "0x1",
      "01",
    ];
    const texts = ["\0", "a\0b", "\ud800", "x".repeat(60_000), "%", "'", "\\", "\u{202e}", "[]"];
    const answers: [what: string, answer: Answered][] = [];
    const tried = async (what: string, answer: Promise<Answered>): Promise<void> =>
      void answers.push([what, await answer]);
    const buy = `/api/events/${eventId}/tickets`;
    for (const number of numbers)
      await tried(
        `quantity ${number}`,
        ask("POST", buy, { token, headers: JSON_TYPE, body: `{"quantity":${number}}` }),
      );
    for (const text of [...texts, 1, null, ["a"], { a: 1 }, true])
      for (const name of ["email", "password", "name"]) {
        if (
          name !== "email" &&
          typeof text === "string" &&
          text.length < 200 &&
          !/[\0\ud800]/.test(text)
        )
          continue;
        const body = {
          email: `${randomUUID()}@example.com`,
          password: PASSWORD,
          name: "Ada",
          [name]: text,
        };
        await tried(`${name} ${JSON.stringify(text).slice(0, 20)}`, register(body));
      }
    for (const value of [
      "%00",
      "%ff",
      "%zz",
      "%ED%A0%80",
      "-1",
      "1e9",
      "999999999999999999999",
      "x".repeat(8_000),
    ])
      for (const name of ["limit", "cursor", "date", "from", "to"])
        await tried(`${name}=${value}`, ask("GET", `/api/events?${name}=${value}`));
    for (const query of [
      "limit=1&limit=2",
      "limit[]=1",
      "limit[a]=1",
      "name=a&name=b",
      "date=2026-02-30",
      "date=2026-13-01",
      "unknown=1",
    ])
      await tried(query, ask("GET", `/api/events?${query}`));
    for (const id of [
      "%00",
      "1",
      "..",
      "%2e%2e%2f",
      "null",
      "x".repeat(5_000),
      "00000000-0000-0000-0000-00000000000g",
    ])
      for (const path of [`/api/events/${id}`, `/api/tickets/${id}`, `/api/transactions/${id}`])
        await tried(path.slice(0, 60), ask("GET", path, { token }));
    for (const body of [
      `${"[".repeat(30_000)}${"]".repeat(30_000)}`,
      `${'{"a":'.repeat(9_000)}1${"}".repeat(9_000)}`,
      `{"quantity":1,"quantity":2}`,
      "{",
      '{"quantity":',
      "\u{feff}{}",
      new Uint8Array([0xc3, 0x28]),
      new Uint8Array([0x22, 0xff, 0x22]),
      `{"name":"${"x".repeat(1_000_000)}"}`,
    ])
      await tried(String(body).slice(0, 30), ask("POST", buy, { token, headers: JSON_TYPE, body }));
    const latin1 = Buffer.from(
      JSON.stringify({
        email: `${randomUUID()}@example.com`,
        password: PASSWORD,
        name: "Zo\u00eb",
      }),
      "latin1",
    );
    await tried(
      "a name in latin1",
      ask("POST", "/api/auth/register", { headers: JSON_TYPE, body: new Uint8Array(latin1) }),
    );
    for (const cursor of [
      "AAAA",
      Buffer.from('{"d":"x"}').toString("base64url"),
      Buffer.from("[1,2,3]").toString("base64url"),
      "%2B%2F%3D",
    ])
      for (const path of ["/api/events", "/api/tickets"])
        await tried(`${path} ${cursor}`, ask("GET", `${path}?cursor=${cursor}`, { token }));
    for (const key of ["x".repeat(256), "a\tb"])
      await tried("key", ask("POST", buy, { token, headers: { "Idempotency-Key": key } }));
    assert.ok(answers.length > 130, String(answers.length));
    for (const [what, answer] of answers) {
      assert.ok(
        answer.status >= 400 && answer.status < 500,
        `${what}: ${answer.status} ${answer.text.slice(0, 200)}`,
      );
      assertProblem(answer, answer.status, String(answer.json?.code));
      assert.doesNotMatch(answer.text, LEAK, what);
    }
    assert.equal(
      (await ask("GET", `/api/events/${eventId}`)).json?.available,
      999,
      "nothing was sold by mistake",
    );
  });

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
      "/api/auth/me": "GET, HEAD, OPTIONS",
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
    // A table that is missing is a fault of ours, a table that is locked an outage: what PostgreSQL says of either stays behind the gateway.
    await engine.database.query({ text: "ALTER TABLE event_tickets RENAME TO event_tickets_away" });
    answers.push([500, "INTERNAL", await ask("GET", `/api/tickets/${ticketId}`, { token })]);
    await engine.database.query({ text: "ALTER TABLE event_tickets_away RENAME TO event_tickets" });
    await engine.database.transaction(async (connection) => {
      await connection.query({ text: "LOCK TABLE event_tickets IN ACCESS EXCLUSIVE MODE" });
      answers.push([503, "TRY_AGAIN", await ask("GET", `/api/tickets/${ticketId}`, { token })]);
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

  it("S27: nobody's answers are kept for anybody else", async () => {
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
    // A public page is the same for whoever asks, token or not.
    const [anonymous, signedIn] = [
      await ask("GET", `/api/events/${eventId}`),
      await ask("GET", `/api/events/${eventId}`, { token: first }),
    ];
    assert.deepEqual(Object.keys(anonymous.json ?? {}), Object.keys(signedIn.json ?? {}));
  });
});
