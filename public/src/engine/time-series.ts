import type { Engine } from "../api/types.ts";

/** What is plotted; undefined where it is not known at this moment. Rates are a second's, shares between 0 and 1. */
export type Moment = {
  sales: number | undefined;
  waiting: number;
  queue: number | undefined;
  lagMs: number | undefined;
  redis: number | undefined;
  kept: number | undefined;
  streams: number;
};

/** Two minutes of looks. */
export const MOMENTS_KEPT = 60;

type Counts = Readonly<Partial<Record<string, number>>>;

/** Counts grow from the start of each node, so rates and shares are of what came since the last look; there are none at the first. */
export function nextMoment(last: Engine | undefined, now: Engine): Moment {
  const seconds = last === undefined ? 0 : (Date.parse(now.at) - Date.parse(last.at)) / 1_000;
  return {
    sales: last === undefined || seconds <= 0 ? undefined : salesSince(last, now) / seconds,
    waiting: now.workers.reduce((sum, { mailbox }) => sum + mailbox, 0),
    queue: now.queue?.ready,
    lagMs: now.ledger?.oldestPendingMs,
    redis: share(
      grown(last?.layers.catalog, now.layers.catalog),
      ["hits"],
      ["partial", "misses", "stale"],
    ),
    kept: share(
      grown(last?.layers.gateway, now.layers.gateway),
      ["hits", "notModified"],
      ["misses", "stale"],
    ),
    streams: now.streams.open ?? 0,
  };
}

/** A worker's count begins anew with each that comes. */
function salesSince(last: Engine, now: Engine): number {
  const before = new Map(
    last.workers.map((worker) => [`${worker.node} ${worker.eventId}`, worker.sales]),
  );
  return now.workers.reduce((sum, { node, eventId, sales }) => {
    const earlier = before.get(`${node} ${eventId}`) ?? 0;
    return sum + (sales >= earlier ? sales - earlier : sales);
  }, 0);
}

function grown(last: Counts | undefined, now: Counts): Counts {
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
