// Tests purchases while PostgreSQL, Redis or RabbitMQ is down, frozen or cutting connections.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { availableKey } from "../../lib/availability/availability-cache.ts";
import { openRedis, type RedisClient } from "../../lib/redis/client.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { openTcpProxy, type TcpProxy } from "../../tools/chaos/network/tcp-proxy.ts";
import { waitFor } from "../support/wait-for.ts";
import { NUMBERS } from "./two-nodes.ts";

type Reply = {
  status: number;
  code: string;
  ms: number;
  body: {
    transactionId?: string;
    tickets?: { id: string }[];
    items?: { id: string; status: string }[];
  };
};

/** Half a minute or more, at 50 ms a try. */
const TRIES_MAX = 600;

const stateOf = (fault: "away" | "freeze"): string => (fault === "away" ? "down" : "frozen");

describe("purchases during outages", () => {
  let engine: Engine;
  let url: string;
  let postgres: TcpProxy;
  let redis: TcpProxy;
  let rabbit: TcpProxy;
  let copies: RedisClient;
  before(async () => {
    // The ledger keeps its servers. Only the purchasing node loses them.
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

  const request = async (
    method: string,
    path: string,
    userId: string = randomUUID(),
    key = "key",
  ): Promise<Reply> => {
    const startedMs = performance.now();
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${engine.accessToken(userId)}`,
        ...(method === "POST" && { "content-type": "application/json", "idempotency-key": key }),
      },
      ...(method === "POST" && { body: "{}" }),
    });
    const body = (await response.json()) as Reply["body"] & { code?: string };
    return {
      status: response.status,
      code: body.code ?? "",
      ms: performance.now() - startedMs,
      body,
    };
  };
  const buy = (eventId: string, userId?: string, key?: string): Promise<Reply> =>
    request("POST", `/api/events/${eventId}/tickets`, userId, key);
  /** Retries with the same key until there is a final answer, as the contract says. */
  const buyWithRetries = async (
    eventId: string,
    userId: string,
    replies: Reply[] = [],
  ): Promise<Reply[]> => {
    assert.ok(replies.length < TRIES_MAX, "still 503 after all tries");
    const reply = await buy(eventId, userId);
    replies.push(reply);
    if (reply.status !== 503) return replies;
    await wait(50);
    return buyWithRetries(eventId, userId, replies);
  };
  const agrees = async (eventId: string, sold: number, total = 1_000): Promise<void> => {
    const numbers = async () => {
      const [row] = await engine.database.query<Record<string, number>>({
        text: NUMBERS,
        values: [eventId],
      });
      return row ?? assert.fail("unknown event");
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
  /** Buys in sequence while `task` runs. */
  const stream = async (eventId: string, task: () => Promise<void>): Promise<Reply[][]> => {
    const all: Promise<Reply[]>[] = [];
    let over = false;
    const coming = (async () => {
      while (!over) {
        all.push(buyWithRetries(eventId, randomUUID()));
        await wait(20);
      }
    })();
    try {
      await task();
    } finally {
      over = true;
      await coming;
    }
    return Promise.all(all);
  };
  const slowest = (replies: readonly Reply[]): number =>
    Math.round(Math.max(...replies.map(({ ms }) => ms)));

  for (const fault of ["away", "freeze"] as const)
    it(`PostgreSQL ${stateOf(fault)}: 503 soon, no sale is lost or doubled`, async () => {
      const eventId = await engine.addEvent({ capacity: 1_000 });
      const first = (await buyWithRetries(eventId, randomUUID())).at(-1);
      const ticketId = first?.body.tickets?.[0]?.id ?? assert.fail("no ticket");
      const arriving: Reply[] = [];
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
          const requested = [
            ...paths.map((path) => request("GET", path)),
            request("DELETE", `/api/tickets/${ticketId}`),
            buy(eventId),
          ];
          arriving.push(...(await Promise.all(requested)));
        }
        postgres[fault](false);
        await waitFor(async () => (await buy(eventId, randomUUID())).status === 201, {
          withinMs: 5_000,
          what: "sales again",
        });
      });
      // While PostgreSQL is silent, whether a key is sold is known only of new buyers.
      const codes = new Set(arriving.map(({ status, code }) => `${status} ${code}`));
      codes.delete("503 OUTCOME_UNKNOWN");
      assert.deepEqual([...codes], ["503 TRY_AGAIN"]);
      assert.ok(
        slowest(arriving) < 2_000,
        `the slowest new request waited ${slowest(arriving)} ms`,
      );
      const replies = streams.flat();
      assert.deepEqual([...new Set(streams.map((replies) => replies.at(-1)?.status))], [201]);
      assert.ok(replies.some(({ status }) => status === 503));
      assert.ok(
        slowest(replies) < 3_500,
        `the slowest request in flight waited ${slowest(replies)} ms`,
      );
      await agrees(eventId, streams.length + 2);
    });

  it("PostgreSQL cutting connections: every buyer finally gets one ticket", async () => {
    const eventId = await engine.addEvent({ capacity: 1_000 });
    const streams = await stream(eventId, async () => {
      for (let round = 0; round < 8; round++) {
        await wait(250);
        postgres.cut();
      }
    });
    assert.deepEqual([...new Set(streams.map((replies) => replies.at(-1)?.status))], [201]);
    await agrees(eventId, streams.length);
  });

  for (const fault of ["away", "freeze"] as const)
    it(`Redis ${stateOf(fault)}: purchases, reads and lists continue`, async () => {
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
        what: "the copy, on a working connection",
      });
      redis[fault](true);
      const fresh = await engine.addEvent({ capacity: 1_000 });
      const replies: Reply[] = [];
      for (let round = 0; round < 10; round++)
        replies.push(
          ...(await Promise.all([
            buy(hot),
            buy(fresh),
            request("GET", "/api/tickets"),
            request("GET", `/api/events/${hot}`),
          ])),
        );
      assert.deepEqual([...new Set(replies.map(({ status }) => status))].sort(), [200, 201]);
      const buyer = randomUUID();
      const listed = async () =>
        (await request("GET", "/api/tickets", buyer)).body.items?.map(({ id, status }) => ({
          id,
          status,
        }));
      const id = (await buy(hot, buyer)).body.tickets?.[0]?.id ?? "";
      assert.deepEqual(await listed(), [{ id, status: "active" }]);
      replies.push(await request("DELETE", `/api/tickets/${id}`, buyer));
      assert.deepEqual(await listed(), [{ id, status: "cancelled" }]);
      assert.ok(slowest(replies) < 2_000, `the slowest waited ${slowest(replies)} ms`);
      redis[fault](false);
      assert.deepEqual(await listed(), [{ id, status: "cancelled" }]);
      await agrees(hot, 11);
      await agrees(fresh, 10);
      await waitFor(async () => (await copied()) === 989, {
        withinMs: 10_000,
        what: "the repaired copy",
      });
    });

  for (const fault of ["away", "freeze"] as const)
    it(`RabbitMQ ${stateOf(fault)}: purchases and bookings continue`, async () => {
      const eventId = await engine.addEvent({ capacity: 1_000 });
      rabbit[fault](true);
      const replies: Reply[] = [];
      for (let round = 0; round < 10; round++) replies.push(await buy(eventId));
      assert.deepEqual([...new Set(replies.map(({ status }) => status))], [201]);
      assert.ok(slowest(replies) < 1_000, `the slowest waited ${slowest(replies)} ms`);
      // The ledger's sweeper finds rows without a message.
      await agrees(eventId, 10);
    });
});
