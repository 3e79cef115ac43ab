// Three independent lock servers: a lease is what a majority of them grants.
// A lease only orders the workers, so without it sales continue under the epoch alone.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Leases, openLeases } from "../../lib/redis/redlock-lease.ts";
import { createInternalTokenMint } from "../../lib/auth/jwt.ts";
import { openRedis, type RedisClient } from "../../lib/redis/client.ts";
import type { RunningNode } from "../../main.ts";
import { type RunningServers, startServers } from "../../tools/dev-servers/servers.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { freezeProcess } from "../../tools/testing/freeze-process.ts";
import { httpClient } from "../support/http/http.ts";
import { temporaryFolder } from "../support/processes/processes.ts";
import { quickestOfThree, waitFor } from "../support/wait-for.ts";

const LEASE_MS = 1_000;
const never = new Promise<void>(() => undefined);

describe("three lock servers", () => {
  const { folder, remove } = temporaryFolder();
  let servers: RunningServers[];
  let urls: string[];
  let clients: RedisClient[];
  let first: Leases;
  let second: Leases;
  let engine: Engine;
  let node: RunningNode;
  before(async () => {
    servers = await Promise.all(
      ["one", "two", "three"].map((name) =>
        startServers({
          dataDir: join(folder, name),
          only: ["redis"],
          report: () => undefined,
          restart: false,
          throwaway: true,
        }),
      ),
    );
    urls = servers.map((server) => server.urls.REDIS_URL ?? "");
    clients = urls.map((url) => openRedis(url, () => undefined));
    [first, second] = [
      openLeases(urls, LEASE_MS, () => undefined),
      openLeases(urls, LEASE_MS, () => undefined),
    ];
    for (const leases of [first, second]) await waitFor(() => isFree(leases));
    engine = await startEngine({ SERVICES: "auth,ledger" });
    node = await engine.startNode({
      SERVICES: "api,catalog,purchasing",
      REDLOCK_URLS: urls.join(),
      LEASE_MS: String(LEASE_MS),
    });
  });
  after(async () => {
    await engine.close();
    await Promise.all([first.close(), second.close()]);
    for (const client of clients) client.disconnect();
    await Promise.all(servers.map((server) => server.stop()));
    remove();
  });

  /** Whether a lease can be had at all. */
  const isFree = async (leases: Leases): Promise<boolean> => {
    const lock = await leases.acquire(randomUUID(), 0, never);
    const held = lock.held();
    await lock.release();
    return held;
  };
  const lockServer = (index: number) =>
    servers[index]?.server("redis") ?? assert.fail("a lock server");
  const buy = async (eventId: string) => {
    const startedMs = performance.now();
    const ask = httpClient(node.url ?? "");
    const answer = await ask("POST", `/api/events/${eventId}/tickets`, {
      token: engine.accessToken(),
      json: {},
      headers: { "Idempotency-Key": randomUUID() },
    });
    return { status: answer.status, ms: performance.now() - startedMs };
  };
  const degraded = async (eventId: string): Promise<boolean | undefined> => {
    const mint = createInternalTokenMint(engine.config.internalTokenSecret);
    const token = mint({ userId: randomUUID(), role: "operator" });
    type Workers = { value: { items: { eventId: string; degraded: boolean }[] } };
    const answer = await node.broker.call<Workers, object>(
      "purchasing.workers",
      {},
      { meta: { token } },
    );
    return answer.value.items.find((item) => item.eventId === eventId)?.degraded;
  };
  const sells = async (eventId: string): Promise<void> => {
    for (let number = 0; number < 5; number++) {
      const { status, ms } = await buy(eventId);
      assert.ok(status === 201 && ms < 2_000, `${status} after ${Math.round(ms)} ms`);
    }
  };

  it("with one dead or frozen: leases exclude, renew and release; none is degraded", async () => {
    const eventId = await engine.addEvent();
    await waitFor(async () => (await buy(eventId)).status === 201);
    for (const fault of ["kill", "freeze"] as const) {
      const { pid } = lockServer(0);
      assert.ok(pid !== undefined);
      if (fault === "kill") lockServer(0).kill("SIGKILL");
      else freezeProcess(pid, true);
      try {
        const resource = randomUUID();
        const lock = await first.acquire(resource, 0, never);
        await waitFor(() => lock.held());
        const startedMs = performance.now();
        const other = await second.acquire(resource, 0, never);
        await waitFor(() => performance.now() - startedMs > 2 * LEASE_MS);
        assert.deepEqual([lock.held(), other.held()], [true, false], fault);
        await lock.release();
        await waitFor(() => other.held(), { withinMs: 5_000 });
        await other.release();
        await sells(eventId);
        await waitFor(async () => (await degraded(eventId)) === false);
      } finally {
        if (fault === "freeze") freezeProcess(pid, false);
        else await lockServer(0).restart();
      }
    }
  });

  it("with two dead: no leases, degraded workers, sales continue; leases return", async () => {
    const [hot, fresh] = [await engine.addEvent(), await engine.addEvent()];
    await waitFor(async () => (await buy(hot)).status === 201);
    for (const index of [0, 1]) lockServer(index).kill("SIGKILL");
    await waitFor(async () => (await degraded(hot)) === true, {
      withinMs: 10_000,
      what: "the worker is degraded",
    });
    await sells(hot);
    await sells(fresh);
    const refusedMs = await quickestOfThree(1_000, async () =>
      assert.equal((await first.acquire(randomUUID(), 60_000, never)).held(), false),
    );
    assert.ok(refusedMs < 1_000, `${refusedMs} ms`);
    for (const index of [0, 1]) await lockServer(index).restart();
    await waitFor(
      async () => (await degraded(hot)) === false && (await degraded(fresh)) === false,
      {
        withinMs: 10_000,
      },
    );
  });

  it("with one back empty: the holder keeps its lease, and no other gets it", async () => {
    // Held by all three. With two of three, one that forgets would let another in;
    // the epoch then fences.
    let resource = "";
    const lock = await waitFor(async () => {
      resource = randomUUID();
      const tried = await first.acquire(resource, 0, never);
      if (
        (await Promise.all(clients.map((client) => client.exists(resource)))).every(
          (known) => known === 1,
        )
      )
        return tried;
      await tried.release();
      return undefined;
    });
    lockServer(0).kill("SIGKILL");
    await lockServer(0).restart();
    await waitFor(() => isFree(second));
    const other = await second.acquire(resource, 2 * LEASE_MS, never);
    assert.deepEqual([lock.held(), other.held()], [true, false]);
    await lock.release();
    await waitFor(() => other.held());
    await other.release();
  });
});
