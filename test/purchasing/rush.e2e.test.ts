// Tests a rush over HTTP with parallel purchases, cancellations and retries on two gateways.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it, type TestContext } from "node:test";
import { type Engine, startEngine } from "../support/engine.ts";
import { type Answered, httpClient } from "../support/http/http.ts";
import { numbersWhenQuiet, patientClient, tally } from "../support/fixtures/sales.ts";
import { waitFor } from "../support/wait-for.ts";

type Client = ReturnType<typeof patientClient>;
type Purchase = {
  transactionId: string;
  eventId: string;
  quantity: number;
  tickets: { id: string }[];
};

describe("a rush over HTTP", () => {
  let engine: Engine;
  let request: Client;
  let elsewhere: Client;
  before(async () => {
    engine = await startEngine();
    const second = await engine.startNode();
    const sellers = () =>
      second.broker.registry
        .getServiceList({ onlyAvailable: true })
        .filter(({ name }) => name === "purchasing");
    await waitFor(() => sellers().length === 2, {
      withinMs: 10_000,
      what: "Both nodes see each other",
    });
    request = patientClient(httpClient(engine.url));
    elsewhere = patientClient(
      httpClient(second.url ?? assert.fail("The second node has a gateway")),
    );
  });
  after(() => engine.close());

  const buy = (
    eventId: string,
    { client = request, token = engine.accessToken(), quantity = 1, key = randomUUID() } = {},
  ) =>
    client("POST", `/api/events/${eventId}/tickets`, {
      token,
      json: { quantity },
      headers: { "Idempotency-Key": key },
    });
  const many = <T>(count: number, make: (index: number) => T): T[] =>
    Array.from({ length: count }, (_, index) => make(index));
  const purchaseOf = ({ json, text, status }: Answered): Purchase => {
    assert.equal(status, 201, text);
    return json as Purchase;
  };

  /** On a busy machine a few buyers must retry, but no buyer many times. */
  const countRetries = (t: TestContext, retries: number, buyers: number): void => {
    t.diagnostic(`${retries} retries of ${buyers} buyers`);
    assert.ok(retries < 2 * buyers, `${retries} retries`);
  };

  it("sells 50 places to 400 parallel buyers, refuses 350, and all copies agree", async (t) => {
    const eventId = await engine.addEvent({ capacity: 50 });
    const before = request.retries();
    const answers = await Promise.all(many(400, () => buy(eventId)));
    assert.deepEqual(tally(answers), { "201": 50, "409 EVENT_SOLD_OUT": 350 });
    const ticketIds = answers.flatMap((answer) =>
      answer.status === 201 ? purchaseOf(answer).tickets.map(({ id }) => id) : [],
    );
    assert.equal(new Set(ticketIds).size, 50);
    assert.deepEqual(await numbersWhenQuiet(engine, eventId), {
      total: 50,
      tickets: 50,
      capacity: 0,
      booked: -50,
      pending: 0,
      available: 0,
    });
    countRetries(t, request.retries() - before, 400);
  });

  it("sells exactly the last 10 places to 500 parallel buyers", async (t) => {
    const eventId = await engine.addEvent({ capacity: 60 });
    for (const answer of await Promise.all(many(5, () => buy(eventId, { quantity: 10 }))))
      purchaseOf(answer);
    const before = request.retries();
    const answers = await Promise.all(many(500, () => buy(eventId)));
    assert.deepEqual(tally(answers), { "201": 10, "409 EVENT_SOLD_OUT": 490 });
    assert.deepEqual(await numbersWhenQuiet(engine, eventId), {
      total: 60,
      tickets: 60,
      capacity: 0,
      booked: -60,
      pending: 0,
      available: 0,
    });
    countRetries(t, request.retries() - before, 500);
  });

  it("frees one place for 20 parallel cancellations, with equal answers", async () => {
    const eventId = await engine.addEvent({ capacity: 5 });
    const token = engine.accessToken();
    const [ticket] = purchaseOf(await buy(eventId, { token, quantity: 3 })).tickets;
    const path = `/api/tickets/${ticket?.id ?? assert.fail()}`;
    const answers = await Promise.all(
      many(20, (index) => (index % 2 === 0 ? request : elsewhere)("DELETE", path, { token })),
    );
    assert.deepEqual(tally(answers), { "200": 20 });
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
    assert.equal(answers[0]?.json?.status, "cancelled");
    assert.deepEqual(await numbersWhenQuiet(engine, eventId), {
      total: 5,
      tickets: 2,
      capacity: 3,
      booked: -2,
      pending: 0,
      available: 3,
    });
  });

  it("sells a freed place at most once to parallel buyers", async () => {
    const eventId = await engine.addEvent({ capacity: 1 });
    const token = engine.accessToken();
    const [ticket] = purchaseOf(await buy(eventId, { token })).tickets;
    const cancelling = request("DELETE", `/api/tickets/${ticket?.id ?? assert.fail()}`, { token });
    const answers = await Promise.all(many(40, () => buy(eventId)));
    assert.equal((await cancelling).status, 200);
    const { 201: sold = 0, "409 EVENT_SOLD_OUT": soldOut = 0 } = tally(answers);
    assert.ok(sold <= 1 && sold + soldOut === 40, JSON.stringify(tally(answers)));
    const { capacity, tickets, available } = await numbersWhenQuiet(engine, eventId);
    assert.deepEqual(
      { capacity, tickets, available },
      { capacity: 1 - sold, tickets: sold, available: 1 - sold },
    );
  });

  it("sells once for 30 parallel retries of one key: one sale and 29 replays", async () => {
    const eventId = await engine.addEvent({ capacity: 30 });
    const token = engine.accessToken();
    const key = randomUUID();
    const answers = await Promise.all(many(30, () => buy(eventId, { token, key, quantity: 2 })));
    const sales = new Set(
      answers
        .map(purchaseOf)
        .map(({ transactionId, quantity, tickets }) =>
          JSON.stringify({ transactionId, quantity, tickets }),
        ),
    );
    assert.equal(sales.size, 1);
    assert.equal(
      answers.filter(({ headers }) => headers.get("idempotent-replayed") === null).length,
      1,
    );
    assert.ok(answers.every(({ headers }) => headers.get("idempotency-key") === key));
    const { tickets, available, booked } = await numbersWhenQuiet(engine, eventId);
    assert.deepEqual({ tickets, available, booked }, { tickets: 2, available: 28, booked: -2 });
  });

  it("keeps the customer limit and replays purchases over two gateways", async () => {
    const eventId = await engine.addEvent({ capacity: 100 });
    const token = engine.accessToken();
    const keys = many(50, () => randomUUID());
    const through = (index: number) => (index % 2 === 0 ? request : elsewhere);
    const answers = await Promise.all(
      keys.map((key, index) => buy(eventId, { client: through(index), token, key })),
    );
    assert.deepEqual(tally(answers), { "201": 10, "409 PURCHASE_LIMIT_REACHED": 40 });
    for (const [index, answer] of answers.entries()) {
      if (answer.status !== 201) continue;
      const again = await buy(eventId, {
        client: through(index + 1),
        token,
        key: keys[index] ?? assert.fail(),
      });
      const { transactionId, tickets } = purchaseOf(again);
      assert.deepEqual(
        { transactionId, tickets },
        { transactionId: answer.json?.transactionId, tickets: answer.json?.tickets },
      );
      assert.equal(again.headers.get("idempotent-replayed"), "true");
    }
    const { tickets, available } = await numbersWhenQuiet(engine, eventId);
    assert.deepEqual({ tickets, available }, { tickets: 10, available: 90 });
  });
});
