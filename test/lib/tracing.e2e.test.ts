// Traces are off by default. One purchase is one trace: gateway, bus, the worker's statement,
// queue and the ledger's booking. A batch links to every purchase in it. No trace has personal
// data, and sales continue without a collector.
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";
import { freePort } from "../../tools/dev-servers/ports.ts";
import { type Collector, type Received, startCollector } from "../support/http/collector.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { waitFor } from "../support/wait-for.ts";

const [INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER] = [1, 2, 3, 4, 5];

/** Loaded files of OpenTelemetry, except its API, which prom-client loads as well. */
function loaded(): string[] {
  return Object.keys(createRequire(import.meta.url).cache).filter((file) =>
    /@opentelemetry\/(?!api\/)/.test(file),
  );
}

async function buy(
  engine: Engine,
  eventId: string,
  more: { token?: string; key?: string; traceparent?: string } = {},
): Promise<number> {
  const { token = engine.accessToken(), key = randomUUID(), traceparent } = more;
  const answer = await fetch(`${engine.url}/api/events/${eventId}/tickets`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${token}`,
      "Content-Type": "application/json",
      "Idempotency-Key": key,
      ...(traceparent !== undefined && { traceparent }),
    },
    body: '{"quantity":1}',
  });
  await answer.text();
  return answer.status;
}

// First in this file, since loaded modules stay loaded.
describe("an engine without a collector", () => {
  it("loads nothing of OpenTelemetry, and wraps nothing", async () => {
    const engine = await startEngine();
    try {
      assert.equal(
        await buy(engine, await engine.addEvent(), {
          traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
        }),
        201,
      );
      assert.deepEqual(loaded(), []);
    } finally {
      await engine.close();
    }
  });
});

describe("traces", () => {
  let collector: Collector;
  let engine: Engine;
  let gateway: string;
  let worker: string;
  before(async () => {
    collector = await startCollector();
    engine = await startEngine({
      SERVICES: "api,auth,catalog",
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    });
    const node = await engine.startNode({ SERVICES: "purchasing,ledger" });
    worker = node.broker.nodeID;
    const eventId = await engine.addEvent();
    await waitFor(async () => (await buy(engine, eventId)) === 201, {
      withinMs: 10_000,
      what: "The gateway has seen the worker's node",
    });
    gateway = (
      await waitFor(
        () => collector.spans.find(({ kind, name }) => kind === SERVER && name.startsWith("POST")),
        { withinMs: 20_000 },
      )
    ).node;
  });
  after(async () => {
    await engine.close();
    await collector.close();
  });

  const children = (of: Received): Received[] =>
    collector.spans.filter(({ parentSpanId }) => parentSpanId === of.spanId);
  /** Waits for the one child of that name and kind. */
  const child = (of: Received, name: string, kind: number): Promise<Received> =>
    waitFor(() => children(of).find((span) => span.name === name && span.kind === kind), {
      withinMs: 20_000,
      what: `${of.name} has a child ${name}; it has ${children(of)
        .map((span) => span.name)
        .join(", ")}`,
    });
  const attribute = (span: Received, key: string): unknown =>
    Object.values(span.attributes.find((each) => each.key === key)?.value ?? {})[0];

  it("are one for a purchase, from the gateway to the ledger's booking", async () => {
    assert.ok(loaded().length > 0, "with a collector OpenTelemetry is in memory");
    const [traceId, above] = [randomBytes(16).toString("hex"), randomBytes(8).toString("hex")];
    const eventId = await engine.addEvent();
    assert.equal(await buy(engine, eventId, { traceparent: `00-${traceId}-${above}-01` }), 201);
    const request = await waitFor(
      () => collector.spans.find((span) => span.traceId === traceId && span.parentSpanId === above),
      {
        withinMs: 20_000,
        what: "The request's span goes on with the client's trace",
      },
    );
    assert.deepEqual(
      [request.name, request.kind, request.node],
      ["POST /api/events/{eventId}/tickets", SERVER, gateway],
    );
    assert.equal(Number(attribute(request, "http.response.status_code")), 201);
    const call = await child(request, "purchasing.buy", CLIENT);
    const action = await child(call, "purchasing.buy", SERVER);
    assert.deepEqual([call.node, action.node], [gateway, worker], "it crossed the bus");
    assert.equal(attribute(action, "boxoffice.outcome"), "ok");
    await child(action, "take-epochs", CLIENT);
    const batch = await child(action, "purchasing.batch", INTERNAL);
    assert.deepEqual(
      batch.links?.map(({ spanId }) => spanId),
      [action.spanId],
    );
    assert.equal(attribute(batch, "boxoffice.event"), eventId);
    await child(batch, "worker-commit", CLIENT);
    const message = await child(batch, "publish ticket-transactions", PRODUCER);
    const booking = await child(message, "process ticket-transactions", CONSUMER);
    await child(booking, "lock-events", CLIENT);
    const whole = collector.spans.filter((span) => span.traceId === traceId);
    assert.deepEqual(
      whole.filter(({ status }) => (status?.code ?? 0) === 2),
      [],
      "no span of it failed",
    );
  });

  it("link a batch with every purchase in it, and each of them with the batch", async () => {
    const eventId = await engine.addEvent();
    const sent = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const traceId = randomBytes(16).toString("hex");
        assert.equal(
          await buy(engine, eventId, { traceparent: `00-${traceId}-${"c".repeat(16)}-01` }),
          201,
        );
        return traceId;
      }),
    );
    const actions = await waitFor(
      () => {
        const found = collector.spans.filter(
          (span) =>
            sent.includes(span.traceId) && span.name === "purchasing.buy" && span.kind === SERVER,
        );
        return found.length === sent.length && found;
      },
      { withinMs: 20_000, what: "Each purchase has come to the worker" },
    );
    const batches = await waitFor(
      () => {
        const found = collector.spans.filter(
          (span) =>
            span.name === "purchasing.batch" && attribute(span, "boxoffice.event") === eventId,
        );
        return (
          found.reduce((sum, { links = [] }) => sum + links.length, 0) === sent.length && found
        );
      },
      { withinMs: 20_000, what: "Each purchase is in a batch" },
    );
    assert.ok(
      batches.some(({ links = [] }) => links.length > 1),
      "some were sold together, while the event came to its worker",
    );
    for (const action of actions) {
      const batch =
        batches.find(({ links = [] }) => links.some(({ spanId }) => spanId === action.spanId)) ??
        assert.fail();
      const leads =
        batch.parentSpanId === action.spanId ||
        action.links?.some(({ spanId }) => spanId === batch.spanId);
      assert.ok(leads, "from the purchase to its batch");
    }
  });

  it("have no personal data: no buyer, token, key or parameter of a statement", async () => {
    const [userId, key, email] = [randomUUID(), randomUUID(), `ada.${randomUUID()}@example.org`];
    const token = engine.accessToken(userId);
    const eventId = await engine.addEvent();
    assert.equal(await buy(engine, eventId, { token, key }), 201);
    const account = { email, password: "correct horse battery", name: "Ada Lovelace" };
    const post = (path: string, body: object): Promise<Response> =>
      fetch(`${engine.url}${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
    assert.equal((await post("/api/auth/register", account)).status, 201);
    assert.equal((await post("/api/auth/login", { ...account, name: undefined })).status, 200);
    await waitFor(
      () =>
        collector.spans.some(({ name }) => name === "POST /api/auth/login") &&
        collector.text().includes(eventId),
      {
        withinMs: 20_000,
      },
    );
    for (const secret of [userId, key, email, token, account.password, account.name])
      assert.ok(!collector.text().includes(secret), secret);
  });

  it("cost no sale if the collector is down, and skip requests outside the sample", async () => {
    const before = collector.spans.length;
    const [unreachable, unsampled] = [
      await startEngine({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` }),
      await startEngine({
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_TRACES_SAMPLER_ARG: "0",
      }),
    ];
    for (const each of [unreachable, unsampled]) {
      assert.equal(
        await buy(each, await each.addEvent(), {
          traceparent: `00-${"d".repeat(32)}-${"e".repeat(16)}-01`,
        }),
        201,
      );
      // A stopping node sends its buffered spans first.
      await each.close();
    }
    const late = collector.spans.slice(before).filter(({ traceId }) => traceId === "d".repeat(32));
    assert.deepEqual(late, []);
  });
});
