import type { Engine } from "../api/types.ts";

/** One sample. Rates are per second, shares between 0 and 1. Undefined means unknown. */
export type Sample = {
  sales: number | undefined;
  waiting: number;
  queue: number | undefined;
  lagMs: number | undefined;
  redis: number | undefined;
  kept: number | undefined;
  streams: number;
};

/** Two minutes of samples. */
export const SAMPLES_MAX = 60;

type Counts = Readonly<Partial<Record<string, number>>>;

/** Computes a sample from two reports. Counts grow, so rates need the difference of two. */
export function nextSample(last: Engine | undefined, now: Engine): Sample {
  const seconds = last === undefined ? 0 : (Date.parse(now.at) - Date.parse(last.at)) / 1_000;
  return {
    sales: last === undefined || seconds <= 0 ? undefined : salesSince(last, now) / seconds,
    waiting: now.workers.reduce((sum, { mailbox }) => sum + mailbox, 0),
    queue: now.queue?.ready,
    lagMs: now.ledger?.oldestPendingMs,
    redis: share(
      increases(last?.layers.catalog, now.layers.catalog),
      ["hits"],
      ["partial", "misses", "stale"],
    ),
    kept: share(
      increases(last?.layers.gateway, now.layers.gateway),
      ["hits", "notModified"],
      ["misses", "stale"],
    ),
    streams: now.streams.open ?? 0,
  };
}

/** A new worker counts from 0. */
function salesSince(last: Engine, now: Engine): number {
  const before = new Map(
    last.workers.map((worker) => [`${worker.node} ${worker.eventId}`, worker.sales]),
  );
  return now.workers.reduce((sum, { node, eventId, sales }) => {
    const earlier = before.get(`${node} ${eventId}`) ?? 0;
    return sum + (sales >= earlier ? sales - earlier : sales);
  }, 0);
}

function increases(last: Counts | undefined, now: Counts): Counts {
  return Object.fromEntries(
    Object.entries(now).map(([name, count]) => [
      name,
      Math.max(0, (count ?? 0) - (last?.[name] ?? 0)),
    ]),
  );
}

function share(
  counts: Counts,
  good: readonly string[],
  other: readonly string[],
): number | undefined {
  const sum = (names: readonly string[]): number =>
    names.reduce((all, name) => all + (counts[name] ?? 0), 0);
  const all = sum(good) + sum(other);
  return all === 0 ? undefined : sum(good) / all;
}
