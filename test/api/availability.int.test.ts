// Tests live availability through real gateways. An update is pushed at once, wherever the event is
// sold, and is never older than the last one shown. A closed stream leaves no state.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { EventStatus } from "../../domain/event-record.ts";
import type { Answer } from "../../domain/refusal.ts";
import { AVAILABILITY_CHANGED } from "../../lib/availability/availability-cache.ts";
import { eventId as idOf } from "../../lib/ids.ts";
import { createInternalTokenMint } from "../../lib/auth/jwt.ts";
import type { RunningNode } from "../../main.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { type EventStream, openStream } from "../support/http/event-stream.ts";
import { makeCertificate } from "../../tools/testing/certificate.ts";
import { assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import { http2Client } from "../support/http/http2.ts";
import { temporaryFolder } from "../support/processes/processes.ts";
import { waitFor } from "../support/wait-for.ts";
import { galaIn } from "../support/fixtures/gala.ts";

describe("live availability", () => {
  let engine: Engine;
  let ask: HttpClient;
  let other: RunningNode;
  const open: EventStream[] = [];
  before(async () => {
    engine = await startEngine();
    ask = httpClient(engine.url);
    // A gateway of its own: what it tells comes over the bus.
    other = await engine.startNode({ SERVICES: "api" });
    await waitFor(
      async () => (await httpClient(other.url ?? "")("GET", "/readyz")).status === 200,
      {
        withinMs: 10_000,
      },
    );
  });
  after(async () => {
    for (const stream of open) stream.close();
    await engine.close();
  });

  const watch = async (eventId: string, url = engine.url, headers = {}): Promise<EventStream> => {
    const stream = await openStream(url, eventId, headers);
    open.push(stream);
    return stream;
  };
  const buy = (eventId: string, quantity: number) =>
    ask("POST", `/api/events/${eventId}/tickets`, {
      token: engine.accessToken(),
      json: { quantity },
    });

  it("says at once what is left, then each change, through every gateway", async () => {
    const eventId = await engine.addEvent({ capacity: 5 });
    const here = await watch(eventId);
    const there = await watch(eventId.toUpperCase(), other.url, {
      "Last-Event-ID": "999999.1\u00e9",
    });
    assert.deepEqual(
      [here.status, here.headers["content-type"], here.headers["cache-control"]],
      [200, "text/event-stream", "no-store, no-transform"],
    );
    for (const stream of [here, there]) await stream.sees(5);
    assert.deepEqual(there.events, [{ eventId, status: "scheduled", available: 5 }]);

    const token = engine.accessToken();
    const bought = await ask("POST", `/api/events/${eventId}/tickets`, {
      token,
      json: { quantity: 2 },
    });
    assert.equal(bought.status, 201, bought.text);
    for (const stream of [here, there]) await stream.sees(3);
    const [{ id }] = bought.json?.tickets as [{ id: string }];
    assert.equal((await ask("DELETE", `/api/tickets/${id}`, { token })).status, 200);
    for (const stream of [here, there]) await stream.sees(4);
    assert.equal((await buy(eventId, 4)).status, 201);
    for (const stream of [here, there]) await stream.sees(0);
    assert.deepEqual(
      here.events.map(({ available }) => available),
      [5, 3, 4, 0],
    );
  });

  it("hears of each sale from its worker: by looking alone, eight would take fourteen seconds", async () => {
    const eventId = await engine.addEvent({ capacity: 9 });
    const stream = await watch(eventId, other.url);
    await stream.sees(9);
    const beganAt = performance.now();
    for (let left = 8; left > 0; left -= 1) {
      assert.equal((await buy(eventId, 1)).status, 201);
      await stream.sees(left);
    }
    assert.ok(performance.now() - beganAt < 8_000);
  });

  it("comes over TLS and HTTP/2 as well, and ends with the gateway", async () => {
    const { folder, remove } = temporaryFolder();
    const { certFile, keyFile } = makeCertificate(folder, "served");
    const gateway = await engine.startNode({
      SERVICES: "api",
      TLS_CERT_FILE: certFile,
      TLS_KEY_FILE: keyFile,
    });
    const client = http2Client(gateway.url ?? "");
    await waitFor(async () => (await client.ask("GET", "/readyz")).status === 200, {
      withinMs: 10_000,
    });
    const eventId = await engine.addEvent({ capacity: 3 });
    const streams = [1, 2, 3].map(() =>
      client.session.request({ ":path": `/api/events/${eventId}/availability` }),
    );
    const texts = streams.map(() => "");
    streams.forEach((stream, index) =>
      stream
        .setEncoding("utf8")
        .on("data", (chunk: string) => (texts[index] = `${texts[index] ?? ""}${chunk}`)),
    );
    const allSee = (left: number) =>
      waitFor(() => texts.every((text) => text.includes(`"available":${left}}`)), {
        withinMs: 10_000,
      });
    await allSee(3);
    streams.pop()?.close();
    texts.pop();
    assert.equal((await buy(eventId, 2)).status, 201);
    await allSee(1);
    await gateway.stop();
    await waitFor(() => streams.every(({ closed }) => closed));
    client.close();
    remove();
  });

  it("says nothing of an event that is not there, of an id that is none, or to another method", async () => {
    const path = (id: string) => `/api/events/${id}/availability`;
    assertProblem(await ask("GET", path(randomUUID())), 404, "EVENT_NOT_FOUND");
    assertProblem(await ask("GET", path("x")), 422, "VALIDATION_ERROR");
    const eventId = await engine.addEvent();
    assertProblem(await ask("GET", `${path(eventId)}?since=1`), 422, "VALIDATION_ERROR");
    assertProblem(await ask("POST", path(eventId)), 405, "METHOD_NOT_ALLOWED");
    const head = await ask("HEAD", path(eventId));
    assert.deepEqual(
      [head.status, head.headers.get("content-type"), head.text],
      [200, "text/event-stream", ""],
    );
  });

  it("shows no late news over newer, and no more than four messages a second", async () => {
    const eventId = await engine.addEvent({ capacity: 50 });
    const stream = await watch(eventId, other.url);
    await stream.sees(50);
    const tell = (available: number, batch: number) =>
      other.broker.broadcast(AVAILABILITY_CHANGED, {
        items: [{ eventId, available, epoch: 7, batch }],
      });
    const beganAt = performance.now();
    for (let batch = 1; batch <= 40; batch += 1) {
      await tell(50 - batch, batch);
      await tell(49, 1);
    }
    await stream.sees(10);
    const seconds = (performance.now() - beganAt) / 1_000;
    const said = stream.events.map(({ available }) => available);
    assert.deepEqual(
      said,
      said.toSorted((one, two) => two - one),
      "only ever less",
    );
    assert.ok(said.length - 1 <= 1 + 4 * seconds, `${said.length} messages in ${seconds} s`);
  });

  it("tells of an import's new capacity, also without a purchase", async () => {
    const record = galaIn(2036);
    const token = operatorToken();
    const bring = (totalCapacity: number) =>
      other.broker.call(
        "catalog.import",
        { records: [{ ...record, totalCapacity }] },
        { meta: { token } },
      );
    await bring(10);
    const stream = await watch(idOf(record), other.url);
    await stream.sees(10);
    await bring(7);
    await stream.sees(7);
  });

  it("tells of an import's new status, and keeps it when places are sold or returned", async () => {
    const record = galaIn(2038);
    const token = operatorToken();
    const bring = (status: EventStatus) =>
      other.broker.call(
        "catalog.import",
        { records: [{ ...record, status }] },
        { meta: { token } },
      );
    await bring("scheduled");
    const bought = await buy(idOf(record), 2);
    assert.equal(bought.status, 201, bought.text);
    const stream = await watch(idOf(record));
    await stream.sees(8);
    for (const status of ["postponed", "scheduled", "cancelled"] as const) {
      await bring(status);
      await waitFor(() => stream.events.at(-1)?.status === status);
    }
    const left = await buy(idOf(record), 1);
    assertProblem(left, 409, "EVENT_CANCELLED");
    assert.deepEqual(stream.events.at(-1), {
      eventId: idOf(record),
      status: "cancelled",
      available: 8,
    });
  });

  it("finds out by itself what a lost broadcast would have told", async () => {
    const eventId = await engine.addEvent({ capacity: 9 });
    const stream = await watch(eventId);
    await stream.sees(9);
    await engine.database.query({
      text: "UPDATE event SET capacity = 6, status = 'postponed' WHERE id = $1",
      values: [eventId],
    });
    await stream.sees(6);
    assert.equal(stream.events.at(-1)?.status, "postponed");
  });

  it("keeps nothing of those who have gone", async () => {
    const eventIds = await Promise.all([1, 2, 3].map(() => engine.addEvent()));
    for (const stream of open.splice(0)) stream.close();
    const { broker } = other;
    const openNow = async () => {
      const options = { nodeID: broker.nodeID, meta: { token: operatorToken() } };
      const answer = await broker.call<Answer<{ streams: { open: number } }>, object>(
        "api.status",
        {},
        options,
      );
      return answer.ok && answer.value.streams.open;
    };
    await waitFor(async () => (await openNow()) === 0);
    const many = await Promise.all(
      Array.from({ length: 60 }, (_, index) => watch(eventIds[index % 3] ?? "", other.url)),
    );
    await waitFor(async () => (await openNow()) === 60);
    for (const stream of many) stream.close();
    await waitFor(async () => (await openNow()) === 0);
  });

  it("ends every stream when the gateway stops, and the gateway does stop", async () => {
    const gateway = await engine.startNode({ SERVICES: "api" });
    await waitFor(
      async () => (await httpClient(gateway.url ?? "")("GET", "/readyz")).status === 200,
      { withinMs: 10_000 },
    );
    const eventId = await engine.addEvent({ capacity: 3 });
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => watch(eventId, gateway.url)),
    );
    for (const stream of streams) await stream.sees(3);
    const beganAt = performance.now();
    await gateway.stop();
    assert.ok(performance.now() - beganAt < 5_000, "no stream held it up until it was cut");
    for (const stream of streams) await waitFor(() => stream.ended());
  });

  function operatorToken(): string {
    return createInternalTokenMint(engine.config.internalTokenSecret)({
      userId: randomUUID(),
      role: "operator",
    });
  }
});

describe("streams of one address", () => {
  it("are 200 at most, and a place is free again when one closes", async () => {
    const engine = await startEngine({ RATE_LIMITS: "on" });
    const open: EventStream[] = [];
    try {
      const eventId = await engine.addEvent({ capacity: 3 });
      for (let index = 0; index < 200; index += 1) open.push(await openStream(engine.url, eventId));
      const refused = await httpClient(engine.url)("GET", `/api/events/${eventId}/availability`);
      assertProblem(refused, 429, "TOO_MANY_REQUESTS", ["limit", "retryAfterS"]);
      assert.match(refused.headers.get("retry-after") ?? "", /^\d+$/);
      open.pop()?.close();
      await waitFor(async () => {
        const again = await openStream(engine.url, eventId);
        open.push(again);
        return again.status === 200;
      });
    } finally {
      for (const stream of open) stream.close();
      await engine.close();
    }
  });
});
