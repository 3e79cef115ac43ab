// What a buyer is told while PostgreSQL, Redis or RabbitMQ is away, frozen or cutting its connections, and that everything agrees afterwards.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { availableKey } from "../../lib/availability/availability-cache.ts";
import { openRedis, type RedisClient } from "../../lib/redis/client.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { openTcpProxy, type TcpProxy } from "../../tools/chaos/network/tcp-proxy.ts";
import { waitFor } from "../support/wait-for.ts";

type Said = {
  status: number;
  code: string;
  ms: number;
  body: {
    transactionId?: string;
    tickets?: { id: string }[];
    items?: { id: string; status: string }[];
  };
};

/** At 50 ms a try and more: half a minute. */
const PATIENCE_TRIES = 600;

describe("buying over outages", () => {
  let engine: Engine;
  let url: string;
  let postgres: TcpProxy;
  let redis: TcpProxy;
  let rabbit: TcpProxy;
  let copies: RedisClient;
  before(async () => {
    // The ledger keeps its servers: it is the node that sells which loses them.
    engine = await startEngine({ SERVICES: "auth,ledger" });
    const { databaseUrl = "", redisUrl = "", amqpUrl = "" } = engine.config;
    [postgres, redis, rabbit] = (await Promise.all(
      [databaseUrl, redisUrl, amqpUrl].map(openTcpProxy),
    )) as [TcpProxy, TcpProxy, TcpProxy];
    const node = await engine.startNode({
      SERVICES: "api,catalog,purchasing",
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      AMQP_URL: rabbit.url,
    });
    url = node.url ?? "";
    copies = openRedis(redisUrl, () => undefined);
  });
  afterEach(() => {
    for (const proxy of [postgres, redis, rabbit]) {
      proxy.freeze(false);
      proxy.away(false);
    }
  });
  after(async () => {
    copies.disconnect();
    await engine.close();
    await Promise.all([postgres, redis, rabbit].map((proxy) => proxy.close()));
  });

  const ask = async (
    method: string,
    path: string,
    userId: string = randomUUID(),
    key = "key",
  ): Promise<Said> => {
    const startedMs = performance.now();
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${engine.accessToken(userId)}`,
        ...(method === "POST" && { "content-type": "application/json", "idempotency-key": key }),
      },
      ...(method === "POST" && { body: "{}" }),
    });
    const body = (await response.json()) as Said["body"] & { code?: string };
    return {
      status: response.status,
      code: body.code ?? "",
      ms: performance.now() - startedMs,
      body,
    };
  };
  const buy = (eventId: string, userId?: string, key?: string): Promise<Said> =>
    ask("POST", `/api/events/${eventId}/tickets`, userId, key);
  /** Everyone asks again with the same key until there is an answer, as the contract says. */
  const insist = async (eventId: string, userId: string, heard: Said[] = []): Promise<Said[]> => {
    assert.ok(heard.length < PATIENCE_TRIES, "still 503 after a great many tries");
    const said = await buy(eventId, userId);
    heard.push(said);
    if (said.status !== 503) return heard;
    await wait(50);
    return insist(eventId, userId, heard);
  };
  const agrees = async (eventId: string, sold: number, total = 1_000): Promise<void> => {
    const numbers = async () => {
      const [row] = await engine.database.query<Record<string, number>>({
        text: `
          SELECT capacity, (SELECT count(*)::integer FROM event_ticket_transactions WHERE event_id = $1) AS pending,
            (SELECT count(*)::integer FROM event_tickets WHERE event_id = $1 AND cancelled_at IS NULL) AS tickets,
            (SELECT coalesce(sum(quantity), 0)::integer FROM capacity_ledger WHERE event_id = $1) AS booked
          FROM event WHERE id = $1`,
        values: [eventId],
      });
      return row ?? assert.fail("the event is there");
    };
    await waitFor(async () => (await numbers()).pending === 0, {
      withinMs: 20_000,
      what: "an empty outbox",
    });
    assert.deepEqual(await numbers(), {
      capacity: total - sold,
      pending: 0,
      tickets: sold,
      booked: -sold,
    });
  };
  /** Buyers who come one after another while `meanwhile` goes on. */
  const stream = async (eventId: string, meanwhile: () => Promise<void>): Promise<Said[][]> => {
    const all: Promise<Said[]>[] = [];
    let over = false;
    const coming = (async () => {
      while (!over) {
        all.push(insist(eventId, randomUUID()));
        await wait(20);
      }
    })();
    try {
      await meanwhile();
    } finally {
      over = true;
      await coming;
    }
    return Promise.all(all);
  };
  const slowest = (said: readonly Said[]): number =>
    Math.round(Math.max(...said.map(({ ms }) => ms)));

  for (const fault of ["away", "freeze"] as const)
    it(`PostgreSQL ${fault === "away" ? "away" : "frozen"}: 503 at once for what arrives, soon for what was in flight, and no sale is lost or doubled`, async () => {
      const eventId = await engine.addEvent({ capacity: 1_000 });
      const ticketId = (await buy(eventId)).body.tickets?.[0]?.id ?? "";
      const arriving: Said[] = [];
      const streams = await stream(eventId, async () => {
        await wait(300);
        postgres[fault](true);
        await wait(300);
        const paths = [
          "/api/events",
          `/api/events/${eventId}`,
          "/api/events/filters",
          "/api/tickets",
          `/api/tickets/${ticketId}`,
        ];
        for (let round = 0; round < 3; round++) {
          const asked = [
            ...paths.map((path) => ask("GET", path)),
            ask("DELETE", `/api/tickets/${ticketId}`),
            buy(eventId),
          ];
          arriving.push(...(await Promise.all(asked)));
        }
        postgres[fault](false);
        await waitFor(async () => (await buy(eventId, randomUUID())).status === 201, {
          withinMs: 5_000,
          what: "sales again",
        });
      });
      assert.deepEqual(
        [...new Set(arriving.map(({ status, code }) => `${status} ${code}`))],
        ["503 TRY_AGAIN"],
      );
      assert.ok(
        slowest(arriving) < 2_000,
        `the slowest that arrived waited ${slowest(arriving)} ms`,
      );
      const heard = streams.flat();
      assert.deepEqual([...new Set(streams.map((said) => said.at(-1)?.status))], [201]);
      assert.ok(heard.some(({ status }) => status === 503));
      assert.ok(slowest(heard) < 3_500, `the slowest in flight waited ${slowest(heard)} ms`);
      await agrees(eventId, streams.length + 2);
    });

  it("PostgreSQL cutting its connections all the time: everyone gets one answer in the end, and one ticket", async () => {
    const eventId = await engine.addEvent({ capacity: 1_000 });
    const streams = await stream(eventId, async () => {
      for (let round = 0; round < 8; round++) {
        await wait(250);
        postgres.cut();
      }
    });
    assert.deepEqual([...new Set(streams.map((said) => said.at(-1)?.status))], [201]);
    await agrees(eventId, streams.length);
  });

  for (const fault of ["away", "freeze"] as const)
    it(`Redis ${fault === "away" ? "away" : "frozen"}: buying and looking go on, also where nobody bought before, and lists are right at once`, async () => {
      const hot = await engine.addEvent({ capacity: 1_000 });
      const copied = async (): Promise<unknown> => {
        const copy = JSON.parse((await copies.get(availableKey(hot))) ?? "{}") as {
          available?: number;
        };
        return copy.available;
      };
      await buy(hot);
      await waitFor(async () => (await copied()) === 999, {
        withinMs: 10_000,
        what: "the copy, by a connection that is there",
      });
      redis[fault](true);
      const fresh = await engine.addEvent({ capacity: 1_000 });
      const said: Said[] = [];
      for (let round = 0; round < 10; round++)
        said.push(
          ...(await Promise.all([
            buy(hot),
            buy(fresh),
            ask("GET", "/api/tickets"),
            ask("GET", `/api/events/${hot}`),
          ])),
        );
      assert.deepEqual([...new Set(said.map(({ status }) => status))].sort(), [200, 201]);
      const buyer = randomUUID();
      const listed = async () =>
        (await ask("GET", "/api/tickets", buyer)).body.items?.map(({ id, status }) => ({
          id,
          status,
        }));
      const id = (await buy(hot, buyer)).body.tickets?.[0]?.id ?? "";
      assert.deepEqual(await listed(), [{ id, status: "active" }]);
      said.push(await ask("DELETE", `/api/tickets/${id}`, buyer));
      assert.deepEqual(await listed(), [{ id, status: "cancelled" }]);
      assert.ok(slowest(said) < 2_000, `the slowest waited ${slowest(said)} ms`);
      redis[fault](false);
      assert.deepEqual(await listed(), [{ id, status: "cancelled" }]);
      await agrees(hot, 11);
      await agrees(fresh, 10);
      await waitFor(async () => (await copied()) === 989, {
        withinMs: 10_000,
        what: "the copy repaired",
      });
    });

  for (const fault of ["away", "freeze"] as const)
    it(`RabbitMQ ${fault === "away" ? "away" : "frozen"}: buying goes on as fast, and the backlog drains without it`, async () => {
      const eventId = await engine.addEvent({ capacity: 1_000 });
      rabbit[fault](true);
      const said: Said[] = [];
      for (let round = 0; round < 10; round++) said.push(await buy(eventId));
      assert.deepEqual([...new Set(said.map(({ status }) => status))], [201]);
      assert.ok(slowest(said) < 1_000, `the slowest waited ${slowest(said)} ms`);
      // The ledger's sweeper finds the rows, whoever failed to tell.
      await agrees(eventId, 10);
    });
});
