import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { type Leases, openLeases } from "../../lib/redis/redlock-lease.ts";
import { openTcpProxy, type TcpProxy } from "../../tools/chaos/network/tcp-proxy.ts";
import { claimSlot, type Slot } from "../support/processes/servers.ts";
import { quickestOfThree, waitFor } from "../support/wait-for.ts";

const LEASE_MS = 600;
const never = new Promise<void>(() => undefined);

describe("a lease", () => {
  let slot: Slot;
  let proxy: TcpProxy;
  let one: Leases;
  let other: Leases;
  const open = async (url: string): Promise<Leases> => {
    const leases = openLeases([url], LEASE_MS, () => undefined);
    await waitFor(async () => {
      const lock = await leases.acquire(randomUUID(), 0, never);
      const connected = lock.held();
      await lock.release();
      return connected;
    });
    return leases;
  };
  before(async () => {
    slot = await claimSlot();
    proxy = await openTcpProxy(slot.redisUrl);
    [one, other] = await Promise.all([open(slot.redisUrl), open(proxy.url)]);
  });
  after(async () => {
    await Promise.all([one.close(), other.close()]);
    await proxy.close();
    await slot.release();
  });

  it("is held as long as it is renewed, and passes to the next on release", async () => {
    const resource = randomUUID();
    const first = await one.acquire(resource, 0, never);
    assert.ok(first.held());
    const startedMs = performance.now();
    const second = await other.acquire(resource, 2 * LEASE_MS, never);
    assert.ok(
      performance.now() - startedMs >= 2 * LEASE_MS - 1,
      "the second waited while the first renewed",
    );
    assert.deepEqual([first.held(), second.held()], [true, false]);
    await first.release();
    await waitFor(() => second.held());
    await second.release();
  });

  it("is waited for no longer than the given limit", async () => {
    const resource = randomUUID();
    const first = await one.acquire(resource, 0, never);
    const startedMs = performance.now();
    const second = await other.acquire(
      resource,
      60_000,
      waitFor(() => performance.now() - startedMs > 100).then(() => undefined),
    );
    assert.equal(second.held(), false);
    await Promise.all([first.release(), second.release()]);
  });

  it("is not waited for while Redis is frozen or down, and is taken afterwards", async () => {
    for (const fault of ["freeze", "away"] as const) {
      proxy[fault](true);
      const locks: Awaited<ReturnType<Leases["acquire"]>>[] = [];
      // Well below a mailbox's time-out of half a second.
      const waitedMs = await quickestOfThree(400, async () => {
        const lock = await other.acquire(randomUUID(), 5_000, never);
        assert.equal(lock.held(), false);
        locks.push(lock);
      });
      assert.ok(waitedMs < 400, `${fault}: waited ${Math.round(waitedMs)} ms`);
      proxy[fault](false);
      await waitFor(() => locks.every((lock) => lock.held()));
      for (const lock of locks) await lock.release();
    }
  });

  it("is not renewed after its release", async () => {
    const resource = randomUUID();
    const first = await one.acquire(resource, 0, never);
    const second = await other.acquire(resource, 0, never);
    await second.release();
    await first.release();
    const next = await other.acquire(resource, 0, never);
    assert.ok(next.held());
    await next.release();
  });
});
