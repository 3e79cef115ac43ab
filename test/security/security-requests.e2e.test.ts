// Input that no honest client sends: fields that are not offered, values that no column holds.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { type Answered, assertProblem } from "../support/http/http.ts";
import { JSON_TYPE, LEAK, openShop, PASSWORD, type Shop } from "../support/fixtures/shop.ts";

describe("hostile input", () => {
  let engine: Shop["engine"];
  let { ask, eventId, token, ticketId, register, signUp } = {} as Shop;
  before(async () => {
    ({ engine, ask, eventId, token, ticketId, register, signUp } = await openShop());
  });
  after(() => engine.close());

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
});
