// The HTTP contract: what each route answers, and each refusal with its problem document.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { createInternalTokenMint } from "../../lib/auth/jwt.ts";
import { ACCESS_TOKEN_LIFE_MS, createAccessTokenSigner } from "../../lib/auth/access-token.ts";
import { qrCodeSvg } from "../../services/api/http/qr-code.ts";
import { ticketCode } from "../../services/purchasing/tickets/ticket-code.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { type HttpClient, assertProblem, httpClient } from "../support/http/http.ts";
import { waitFor } from "../support/wait-for.ts";

describe("the gateway", () => {
  let engine: Engine;
  let ask: HttpClient;
  let eventId: string;
  let token: string;
  before(async () => {
    engine = await startEngine({ TICKETS_PER_CUSTOMER_MAX: "4" });
    ask = httpClient(engine.url);
    eventId = await engine.addEvent({ capacity: 5 });
    token = engine.accessToken();
  });
  after(() => engine.close());

  it("sells, replays, lists, shows and cancels", async () => {
    const buyer = engine.accessToken();
    const key = randomUUID();
    const buy = () =>
      ask("POST", `/api/events/${eventId}/tickets`, {
        token: buyer,
        json: { quantity: 2 },
        headers: { "Idempotency-Key": key },
      });
    const bought = await buy();
    assert.equal(bought.status, 201, bought.text);
    assert.equal(bought.headers.get("idempotency-key"), key);
    assert.equal(bought.headers.get("idempotent-replayed"), null);
    assert.equal(bought.headers.get("cache-control"), "no-store");
    assert.deepEqual(Object.keys(bought.json ?? {}).sort(), [
      "eventId",
      "quantity",
      "status",
      "tickets",
      "transactionId",
    ]);
    const tickets = bought.json?.tickets as { id: string; transactionId: string }[];
    const [first] = tickets;
    assert.ok(first);
    const ticketMembers = [
      "cancelledAt",
      "eventDate",
      "eventId",
      "eventName",
      "eventStatus",
      "id",
      "location",
      "purchasedAt",
      "status",
      "transactionId",
    ];
    assert.deepEqual(Object.keys(first).sort(), ticketMembers);

    const replayed = await buy();
    assert.equal(replayed.status, 201);
    assert.equal(replayed.headers.get("idempotent-replayed"), "true");
    assert.deepEqual(replayed.json?.tickets, tickets);
    const otherQuantity = await ask("POST", `/api/events/${eventId}/tickets`, {
      token: buyer,
      json: { quantity: 1 },
      headers: { "Idempotency-Key": key },
    });
    assertProblem(otherQuantity, 422, "IDEMPOTENCY_KEY_REUSED");
    assert.equal(otherQuantity.headers.get("idempotency-key"), key);

    const list = await ask("GET", "/api/tickets?status=active", { token: buyer });
    assert.deepEqual((list.json?.items as unknown[]).length, 2);
    const { transactionId } = first;
    const completed = async () =>
      (await ask("GET", `/api/transactions/${transactionId}`, { token: buyer })).json?.status ===
      "completed";
    await waitFor(completed, { withinMs: 10_000, what: "The ledger applied the purchase" });

    assert.equal(
      (await ask("GET", `/api/tickets/${first.id.toUpperCase()}`, { token: buyer })).status,
      200,
    );
    const cancelled = await ask("DELETE", `/api/tickets/${first.id}`, { token: buyer });
    assert.equal(cancelled.status, 200, cancelled.text);
    assert.equal(cancelled.json?.status, "cancelled");
    assert.deepEqual(Object.keys(cancelled.json).sort(), ticketMembers);
    assert.deepEqual(
      (await ask("DELETE", `/api/tickets/${first.id}`, { token: buyer })).json,
      cancelled.json,
    );

    for (const method of ["GET", "DELETE"])
      assertProblem(
        await ask(method, `/api/tickets/${first.id}`, { token }),
        404,
        "TICKET_NOT_FOUND",
      );
    assertProblem(
      await ask("GET", `/api/transactions/${transactionId}`, { token }),
      404,
      "TRANSACTION_NOT_FOUND",
    );
  });

  it("gives a ticket's QR code to its owner until it is cancelled", async () => {
    const buyer = engine.accessToken();
    const event = await engine.addEvent();
    const bought = await ask("POST", `/api/events/${event}/tickets`, {
      token: buyer,
      json: { quantity: 1 },
    });
    const [ticket] = bought.json?.tickets as { id: string }[];
    const path = `/api/tickets/${ticket?.id ?? ""}/qr.svg`;
    const picture = await ask("GET", path, { token: buyer });
    assert.equal(picture.status, 200, picture.text);
    const { headers } = picture;
    assert.deepEqual(
      [headers.get("content-type"), headers.get("cache-control")],
      ["image/svg+xml", "no-store"],
    );
    assert.equal(
      picture.text,
      qrCodeSvg(ticketCode(engine.config.transactionSecret, ticket?.id ?? "")),
    );
    assert.equal(
      (
        await ask(
          "GET",
          path.replace(ticket?.id ?? "", (id) => id.toUpperCase()),
          { token: buyer },
        )
      ).text,
      picture.text,
    );
    assertProblem(await ask("GET", path, { token }), 404, "TICKET_NOT_FOUND");
    assertProblem(await ask("GET", path), 401, "UNAUTHENTICATED");
    assertProblem(
      await ask("GET", "/api/tickets/none/qr.svg", { token: buyer }),
      422,
      "VALIDATION_ERROR",
    );
    assert.equal(
      (await ask("DELETE", `/api/tickets/${ticket?.id ?? ""}`, { token: buyer })).status,
      200,
    );
    assertProblem(await ask("GET", path, { token: buyer }), 404, "TICKET_NOT_FOUND");
  });

  it("refuses what is sold out, over, too many or unknown, and reports what is left", async () => {
    const few = await engine.addEvent({ capacity: 1 });
    const over = await engine.addEvent({ startsInMs: -60_000 });
    const path = (id: string) => `/api/events/${id}/tickets`;
    const soldOut = await ask("POST", path(few), { token, json: { quantity: 2 } });
    assertProblem(soldOut, 409, "EVENT_SOLD_OUT", ["available"]);
    assert.equal(soldOut.json?.available, 1);
    assert.match(soldOut.headers.get("idempotency-key") ?? "", /^[0-9a-f]{32}$/);
    assertProblem(await ask("POST", path(over), { token, json: {} }), 409, "EVENT_OVER");
    for (const status of ["cancelled", "postponed"]) {
      const stopped = await engine.addEvent({ startsInMs: -60_000 });
      await engine.database.query({
        text: "UPDATE event SET status = $2 WHERE id = $1",
        values: [stopped, status],
      });
      const answer = await ask("POST", path(stopped), { token, json: {} });
      assertProblem(answer, 409, `EVENT_${status.toUpperCase()}`);
    }
    const limited = await ask("POST", path(eventId), { token, json: { quantity: 5 } });
    assert.equal(limited.json?.code, "PURCHASE_LIMIT_REACHED", limited.text);
    assert.equal(limited.status, 409);
    assertProblem(
      await ask("POST", path(randomUUID()), { token, json: {} }),
      404,
      "EVENT_NOT_FOUND",
    );
    assertProblem(await ask("GET", `/api/events/${randomUUID()}`), 404, "EVENT_NOT_FOUND");
    assertProblem(await ask("POST", path(few), { token }), 422, "VALIDATION_ERROR");
    assert.equal(
      (await ask("POST", path(few), { token, json: {} })).status,
      201,
      "the default quantity is 1",
    );
  });

  it("requires a token on private routes, and reports an expired one", async () => {
    for (const [method, path] of [
      ["GET", "/api/auth/me"],
      ["GET", "/api/tickets"],
      ["POST", `/api/events/${eventId}/tickets`],
    ] as const) {
      const answer = await ask(method, path);
      assertProblem(answer, 401, "UNAUTHENTICATED");
      assert.equal(answer.headers.get("www-authenticate"), "Bearer");
      assert.equal(answer.headers.has("idempotency-key"), method === "POST");
    }
    for (const authorization of [
      "Bearer",
      "Bearer ",
      `Basic ${token}`,
      token,
      `Bearer  ${token}`,
      `Bearer ${token}x`,
    ])
      assertProblem(
        await ask("GET", "/api/tickets", { headers: { Authorization: authorization } }),
        401,
        "UNAUTHENTICATED",
      );
    const caller = { userId: randomUUID(), role: "operator" } as const;
    const internal = createInternalTokenMint(engine.config.internalTokenSecret)(caller);
    assertProblem(await ask("GET", "/api/tickets", { token: internal }), 401, "UNAUTHENTICATED");
    const old = createAccessTokenSigner(engine.signingKey)(
      { ...caller, sessionId: "s" },
      Date.now() - ACCESS_TOKEN_LIFE_MS - 2_000,
    );
    const expired = await ask("GET", "/api/tickets", { token: old });
    assertProblem(expired, 401, "TOKEN_EXPIRED");
    assert.match(expired.headers.get("www-authenticate") ?? "", /^Bearer error="invalid_token"$/);
    assert.equal(
      (await ask("GET", "/api/tickets", { headers: { Authorization: `bearer ${token}` } })).status,
      200,
    );
  });

  it("answers methods, request ids and unknown paths as HTTP says", async () => {
    assertProblem(await ask("GET", "/api/nothing"), 404, "NOT_FOUND");
    for (const path of [
      "/purchasing/buy",
      "/api/purchasing/buy",
      "/api/~node/list",
      "/$node/list",
      "/api/list-aliases",
      "/API/events",
      "/api/openapi",
      "/api/doc",
      "//api/events",
    ])
      for (const method of ["GET", "POST", "OPTIONS"])
        assertProblem(await ask(method, path, { token }), 404, "NOT_FOUND");
    const put = await ask("PUT", `/api/tickets/${randomUUID()}`, { token });
    assertProblem(put, 405, "METHOD_NOT_ALLOWED");
    assert.equal(put.headers.get("allow"), "GET, DELETE, HEAD, OPTIONS");
    assert.equal(
      (await ask("HEAD", `/api/events/${eventId}/tickets`)).headers.get("allow"),
      "POST, OPTIONS",
    );
    const options = await ask("OPTIONS", "/api/events", {
      headers: { Origin: "https://evil.example", "Access-Control-Request-Method": "GET" },
    });
    assert.deepEqual(
      [options.status, options.text, options.headers.get("allow")],
      [204, "", "GET, HEAD, OPTIONS"],
    );
    assert.equal(options.headers.has("access-control-allow-origin"), false);
    const [get, head] = [
      await ask("GET", `/api/events/${eventId}`),
      await ask("HEAD", `/api/events/${eventId}`),
    ];
    assert.deepEqual(
      [head.status, head.text, head.headers.get("content-length")],
      [200, "", get.headers.get("content-length")],
    );

    assert.equal(
      (await ask("GET", "/api/events", { headers: { "X-Request-Id": "abc-1_2" } })).headers.get(
        "x-request-id",
      ),
      "abc-1_2",
    );
    for (const id of ["with space", "x".repeat(129), "<script>"])
      assert.match(
        (
          await ask("GET", "/nothing", { headers: { "X-Request-Id": id, "X-Correlation-Id": id } })
        ).headers.get("x-request-id") ?? "",
        /^[0-9a-f]{32}$/,
      );
    for (const path of ["/", "/nothing", "/api/events", "/api/auth/me"]) {
      const { headers } = await ask("GET", path);
      assert.deepEqual(
        [headers.get("x-content-type-options"), headers.get("referrer-policy")],
        ["nosniff", "no-referrer"],
        path,
      );
      assert.match(
        headers.get("content-security-policy") ?? "",
        /default-src 'none'.*frame-ancestors 'none'/,
        path,
      );
    }
  });

  it("answers the liveness and readiness probes", async () => {
    assert.equal((await ask("GET", "/healthz")).status, 200);
    await waitFor(async () => (await ask("GET", "/readyz")).status === 200);
  });
});
