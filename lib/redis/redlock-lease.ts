import { createRequire } from "node:module";
import { withTimeout } from "../concurrency/clock.ts";
import type { Troubles } from "../observability/troubles.ts";
import { openRedis, type RedisClient } from "./client.ts";
import { guarded } from "../observability/faults.ts";

/** Used part of redlock 4, whose own types require ioredis 4. */
type Lock = {
  expiration: number;
  extend(ttlMs: number): PromiseLike<Lock>;
  unlock(): PromiseLike<void>;
};
type Redlock = {
  lock(resource: string, ttlMs: number): PromiseLike<Lock>;
  on(event: "clientError", listener: (error: Error) => void): void;
};
const RedlockClass = createRequire(import.meta.url)("redlock") as new (
  clients: RedisClient[],
  options: { retryCount: number; driftFactor: number },
) => Redlock;

const RETRY_MS = 50;
/** A lock server that is silent for this long is frozen. A contested try is two round trips. */
const SILENCE_TIMEOUT_MS = 200;

export type Leases = {
  /**
   * Waits up to `waitMs` for the lock of a resource, less if `cutShort` resolves or no quorum of
   * lock servers answers. The result may not be held yet (another node holds it, or Redis is down):
   * it is then retried in the background. Never rejects.
   *
   * A lease orders workers and proves nothing: the epoch in PostgreSQL does.
   */
  acquire(resource: string, waitMs: number, cutShort: Promise<void>): Promise<HeldLock>;
  close(): Promise<void>;
};
export type HeldLock = {
  /**
   * As far as this node knows. A long pause, or a Redis that lost its memory, may have ended it
   * unnoticed.
   */
  held(): boolean;
  /** Releases the lock. Never rejects: an unreleased lock expires. */
  release(): Promise<void>;
};

/**
 * Opens Redlock leases on one or more independent masters, renewed at a third of their time. `ca`
 * and `troubles` as in `openRedis`.
 */
export function openLeases(
  urls: readonly string[],
  leaseMs: number,
  warn: (message: string) => void,
  ca?: string,
  troubles?: Troubles,
): Leases {
  const clients = urls.map((url) => openRedis(url, warn, ca, troubles));
  const redlock = new RedlockClass(clients, { retryCount: 0, driftFactor: 0.01 });
  // A server that is down is a missing vote. openRedis has logged it.
  redlock.on("clientError", () => undefined);
  const open = new Set<HeldLock>();

  const tryLock = (resource: string): Promise<Lock | undefined> =>
    Promise.resolve(redlock.lock(resource, leaseMs)).catch(() => undefined);

  /** `pending`: an attempt that is still running. */
  const hold = (
    resource: string,
    first: Lock | undefined,
    pending?: Promise<Lock | undefined>,
  ): HeldLock => {
    let lock = first;
    let released = false;
    const unlessReleased = async (
      attempt: Promise<Lock | undefined>,
      keep: (got: Lock | undefined) => void,
    ): Promise<void> => {
      const got = await attempt;
      if (released) await got?.unlock().then(undefined, () => undefined);
      else keep(got);
    };
    const renew = (): Promise<void> => {
      // Try again after a loss: a Redis that was down comes back empty.
      const attempt =
        lock === undefined
          ? tryLock(resource)
          : Promise.resolve(lock.extend(leaseMs)).catch(() => undefined);
      return unlessReleased(attempt, (renewed) => (lock = renewed));
    };
    if (pending !== undefined) void unlessReleased(pending, (got) => (lock ??= got));
    const timer = setInterval(() => guarded("timer", renew), leaseMs / 3);
    timer.unref();
    const heldLock: HeldLock = {
      held: () => lock !== undefined && lock.expiration > Date.now(),
      async release() {
        released = true;
        clearInterval(timer);
        open.delete(heldLock);
        const last = lock;
        lock = undefined;
        await last?.unlock().then(undefined, () => undefined);
      },
    };
    open.add(heldLock);
    return heldLock;
  };

  return {
    async acquire(resource, waitMs, cutShort) {
      const deadlineMs = performance.now() + waitMs;
      let isCutShort = false;
      void cutShort.then(() => (isCutShort = true));
      for (;;) {
        const attempt = tryLock(resource);
        const answer = await withTimeout(
          attempt.then((lock) => ({ lock })),
          SILENCE_TIMEOUT_MS,
        );
        if (answer === undefined) return hold(resource, undefined, attempt);
        const { lock } = answer;
        const connected = clients.filter((client) => client.status === "ready").length;
        // Without a quorum there is nothing to wait for.
        if (
          lock !== undefined ||
          isCutShort ||
          performance.now() >= deadlineMs ||
          connected <= clients.length / 2
        )
          return hold(resource, lock);
        await Promise.race([cutShort, new Promise((resolve) => setTimeout(resolve, RETRY_MS))]);
      }
    },
    async close() {
      await Promise.all([...open].map((lock) => lock.release()));
      for (const client of clients) client.disconnect();
    },
  };
}
