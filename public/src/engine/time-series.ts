import type { Engine } from "../api/types.ts";

/**
 * One sample. Rates are per second, shares between 0 and 1. Undefined means unknown, also while the
 * page was left.
 */
export type Sample = Partial<
  Record<"sales" | "waiting" | "queue" | "lagMs" | "redis" | "kept" | "streams", number | undefined>
>;

/** Two minutes of samples. */
export const SAMPLES_MAX = 60;

type Counts = Readonly<Partial<Record<string, number>>>;

/** Adds the sample of a report, after a gap for the polls that were left out since the last one. */
export function addSample(
  samples: readonly Sample[],
  last: Engine | undefined,
  now: Engine,
  pollMs: number,
): readonly Sample[] {
  const polls =
    last === undefined ? 1 : Math.round((Date.parse(now.at) - Date.parse(last.at)) / pollMs);
  const gap = Array.from({ length: Math.min(SAMPLES_MAX, Math.max(0, polls - 1)) }, () => ({}));
  return [...samples, ...gap, nextSample(last, now)].slice(-SAMPLES_MAX);
}

/** Computes a sample from two reports. Counts grow, so rates need the difference of two. */
export function nextSample(last: Engine | undefined, now: Engine): Sample {
  const seconds = last === undefined ? 0 : (Date.parse(now.at) - Date.parse(last.at)) / 1_000;
  return {
    sales: last === undefined || seconds <= 0 ? undefined : ticketsSince(last, now) / seconds,
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
function ticketsSince(last: Engine, now: Engine): number {
  const before = new Map(
    last.workers.map((worker) => [`${worker.node} ${worker.eventId}`, worker.tickets]),
  );
  return now.workers.reduce((sum, { node, eventId, tickets }) => {
    const earlier = before.get(`${node} ${eventId}`) ?? 0;
    return sum + (tickets >= earlier ? tickets - earlier : tickets);
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
