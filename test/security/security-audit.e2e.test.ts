// The audit trail: one line per act with caller, time, address and outcome, without secrets.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createInternalTokenMint } from "../../lib/auth/jwt.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { type HttpClient, httpClient, sendRaw } from "../support/http/http.ts";
import { waitFor } from "../support/wait-for.ts";

type Line = Record<string, unknown> & { what?: string; outcome?: string; requestId?: string };

const PASSWORD = "plain pigeons prefer puddles";
const OPERATOR = { userId: "00000000-0000-0000-0000-000000000000", role: "operator" } as const;

describe("the audit trail", () => {
  let engine: Engine;
  let ask: HttpClient;
  let file: string;
  // The level of other lines is "fatal" here: the trail does not depend on it.
  before(async () => {
    engine = await startEngine();
    ask = httpClient(engine.url);
    file = join(engine.config.dataDir, "audit.log");
  });
  after(() => engine.close());

  const lines = (): Line[] =>
    readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
  /** The one line of a request; waits for it, since it is written behind the answer. */
  const lineOf = async (requestId: string, what?: string): Promise<Line> => {
    const found = () =>
      lines().filter(
        (line) => line.requestId === requestId && (what === undefined || line.what === what),
      );
    await waitFor(() => found().length > 0, { withinMs: 5_000, what: `A line of ${requestId}` });
    assert.equal(found().length, 1, JSON.stringify(found()));
    return found()[0] ?? assert.fail();
  };
  const asked = (id: string): { headers: Record<string, string> } => ({
    headers: { "X-Request-Id": id, "User-Agent": "audit-test/1" },
  });
  const facts = ({ what, outcome, status, userId, role, eventId, quantity }: Line) => ({
    what,
    outcome,
    status,
    userId,
    role,
    eventId,
    quantity,
  });

  it("S28: a line for each sign-in, refusal of access, purchase, cancellation and operator's act", async () => {
    const email = `${randomUUID()}@example.com`;
    const began = Date.now();
    const registered = await ask("POST", "/api/auth/register", {
      ...asked("r-register"),
      json: { email, password: PASSWORD, name: "Ada" },
    });
    const userId = String(registered.json?.id);
    await ask("POST", "/api/auth/login", {
      ...asked("r-wrong"),
      json: { email, password: "not the password at all" },
    });
    const login = await ask("POST", "/api/auth/login", {
      ...asked("r-login"),
      json: { email, password: PASSWORD, delivery: "body" },
    });
    const token = String(login.json?.accessToken);
    const eventId = await engine.addEvent({ capacity: 2 });
    const path = `/api/events/${eventId}/tickets`;
    const bought = await ask("POST", path, { ...asked("r-buy"), token, json: { quantity: 2 } });
    const key = { "Idempotency-Key": bought.headers.get("idempotency-key") ?? "" };
    await ask("POST", path, {
      token,
      json: { quantity: 2 },
      headers: { ...asked("r-again").headers, ...key },
    });
    await ask("POST", path, { ...asked("r-sold-out"), token, json: {} });
    const ticketId = (bought.json?.tickets as { id: string }[])[0]?.id ?? "";
    await ask("DELETE", `/api/tickets/${ticketId}`, { ...asked("r-cancel"), token });
    await ask("GET", "/api/tickets", asked("r-no-token"));
    await ask("GET", "/api/tickets", { ...asked("r-forged"), token: `${token}x` });
    await ask("POST", "/api/auth/refresh", {
      headers: { ...asked("r-foreign").headers, Origin: "https://evil.example" },
    });
    await ask("POST", "/api/auth/logout-all", { ...asked("r-out"), token });

    const registration = await lineOf("r-register");
    assert.deepEqual(
      [registration.what, registration.outcome, registration.userId, registration.email],
      ["registration", "ok", userId, email],
    );
    const wrong = await lineOf("r-wrong");
    assert.deepEqual(
      [wrong.what, wrong.outcome, wrong.email, wrong.userId],
      ["sign-in", "INVALID_CREDENTIALS", email, undefined],
    );
    const right = await lineOf("r-login");
    assert.deepEqual(
      [right.what, right.outcome, right.userId, right.userAgent],
      ["sign-in", "ok", userId, "audit-test/1"],
    );
    const who = { userId, role: "customer" };
    const purchase = await lineOf("r-buy");
    assert.deepEqual(facts(purchase), {
      what: "purchase",
      outcome: "ok",
      status: 201,
      ...who,
      eventId,
      quantity: 2,
    });
    assert.equal(purchase.transactionId, bought.json?.transactionId);
    assert.deepEqual([purchase.replayed, (await lineOf("r-again")).replayed], [undefined, true]);
    assert.deepEqual(facts(await lineOf("r-sold-out")), {
      what: "purchase",
      outcome: "EVENT_SOLD_OUT",
      status: 409,
      ...who,
      eventId,
      quantity: 1,
    });
    const cancellation = await lineOf("r-cancel");
    assert.deepEqual(
      [cancellation.what, cancellation.outcome, cancellation.ticketId, cancellation.userId],
      ["cancellation", "ok", ticketId, userId],
    );
    const refusals = await Promise.all(
      ["r-no-token", "r-forged", "r-foreign"].map((id) => lineOf(id)),
    );
    assert.deepEqual(
      refusals.map(({ outcome }) => outcome),
      ["UNAUTHENTICATED", "UNAUTHENTICATED", "CSRF_REFUSED"],
    );
    assert.deepEqual((await lineOf("r-out")).userId, userId);
    for (const line of lines()) {
      assert.ok(Number(line.time) >= began && Number(line.time) <= Date.now(), "when");
      if (line.what !== "access" || line.status !== undefined)
        assert.equal(line.address, "127.0.0.1", JSON.stringify(line));
    }

    // From the request to its rows: by the transaction.
    const rows = await engine.database.query<{ count: number }>({
      text: "SELECT count(*)::integer AS count FROM event_tickets WHERE transaction_id = $1",
      values: [Buffer.from(String(purchase.transactionId), "hex")],
    });
    assert.equal(rows[0]?.count, 2);
  });

  it("S28: a line for each act of an operator and each refusal on the bus, whichever way it came", async () => {
    const { broker } = await engine.startNode({ SERVICES: "catalog" });
    await broker.waitForServices(["ledger", "catalog"], 10_000);
    const mint = createInternalTokenMint(engine.config.internalTokenSecret);
    const call = (action: string, params: object, requestID: string, token?: string) =>
      broker.call(action, params, { requestID, ...(token !== undefined && { meta: { token } }) });
    const [operator, customer] = [mint(OPERATOR), mint({ userId: randomUUID(), role: "customer" })];
    await call("ledger.reconcile", { mend: false }, "o-reconcile", operator);
    await call("catalog.import", { records: [], last: true }, "o-import", operator);
    await call("ledger.reconcile", {}, "o-customer", customer);
    await call("purchasing.workers", {}, "o-no-token");
    const reconcile = await lineOf("o-reconcile");
    assert.deepEqual(
      [
        reconcile.what,
        reconcile.outcome,
        reconcile.userId,
        reconcile.role,
        reconcile["param.mend"],
      ],
      ["ledger.reconcile", "ok", OPERATOR.userId, "operator", false],
    );
    const imported = await lineOf("o-import");
    assert.deepEqual(
      [imported.what, imported.outcome, imported["param.records"]],
      ["catalog.import", "ok", 0],
    );
    const refused = await lineOf("o-customer");
    assert.deepEqual(
      [refused.what, refused.outcome, refused.action, refused.from],
      ["access", "FORBIDDEN", "ledger.reconcile", broker.nodeID],
    );
    assert.equal((await lineOf("o-no-token")).outcome, "UNAUTHENTICATED");
  });

  it("S28: no client can forge a line in it, fill it, or leave a secret there", async () => {
    const [before, forged] = [
      lines().length,
      '{"what":"purchase","outcome":"ok","userId":"forged"}',
    ];
    const emails = [
      `a@b\n${forged}\n`,
      `a@b\r\n${forged}`,
      `a@b\u2028${forged}`,
      `\u001b[2Ja@b\u009b31m\u0085${forged}`,
      `x@${"y".repeat(50_000)}`,
    ];
    for (const [index, email] of emails.entries())
      await ask("POST", "/api/auth/login", {
        ...asked(`i-${index}`),
        json: { email, password: `${forged}\n` },
      });
    // A password typed into the wrong field is no e-mail, and stays out.
    await ask("POST", "/api/auth/login", {
      ...asked("i-password"),
      json: { email: PASSWORD, password: PASSWORD },
    });
    const agent = Buffer.from("\u009b31mevil\u0085agent", "latin1");
    const head =
      "GET /api/tickets HTTP/1.1\r\nHost: x\r\nX-Request-Id: i-agent\r\nConnection: close\r\nUser-Agent: ";
    await sendRaw(engine.url, Buffer.concat([Buffer.from(head), agent, Buffer.from("\r\n\r\n")]));
    const bad = {
      Authorization: `Bearer eyJhbGciOiJub25lIn0.${"e30".repeat(9)}.`,
      Cookie: "refresh=mine",
      "User-Agent": "Bearer eyJhbGciOiJub25lIn0.e30.x",
    };
    await ask("GET", "/api/auth/me", { headers: { ...bad, "X-Request-Id": "i-token" } });
    const ids = [
      ...emails.map((_email, index) => `i-${index}`),
      "i-password",
      "i-agent",
      "i-token",
    ];
    const written = await Promise.all(ids.map((id) => lineOf(id)));
    assert.equal(lines().length - before, ids.length, "one line for each request and no more");
    const text = readFileSync(file, "utf8");
    assert.doesNotMatch(
      text,
      // eslint-disable-next-line no-control-regex
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/,
      "no control character but the end of a line",
    );
    assert.ok(lines().every(({ userId }) => userId !== "forged"));
    assert.ok(written.every((line) => JSON.stringify(line).length < 1_500));
    assert.equal(written.find(({ requestId }) => requestId === "i-password")?.email, undefined);
    for (const secret of [PASSWORD, "eyJhbGciOiJub25lIn0", "refresh=mine"])
      assert.ok(!text.includes(secret), secret);
  });

  it("S28: from the edge a request's id comes to the statements made for it alone", async () => {
    const id = `sql-${randomUUID()}`;
    const text = "SELECT query FROM pg_stat_activity WHERE query LIKE $1";
    const lastServed = async (): Promise<boolean> => {
      await ask("GET", "/api/auth/me", { ...asked(id), token: engine.accessToken() });
      const values = [`/* request=${id} */%`];
      return (await engine.database.query({ text, values })).length > 0;
    };
    await waitFor(lastServed, {
      withinMs: 30_000,
      what: "PostgreSQL knows for whom it worked last",
    });
  });
});
