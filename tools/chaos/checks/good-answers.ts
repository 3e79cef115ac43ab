import { type Entry, OPERATIONS, type Operation, isGood } from "../load/journal.ts";

export type Share = { answers: number; good: number; percent: number };

export type Measures = {
  all: Share;
  by: Record<Operation, Share>;
  /** From the fault's reference moment to the end of the last bad answer; 0 if none came later. */
  recoverySeconds: number;
  /** Number of bad answers by kind, as `buy 503 TRY_AGAIN`. */
  bad: Record<string, number>;
  /** Of answers from a gateway. The balancer's own waiting time does not count. */
  slowestMs: number;
};

/** Measures I8. The bounds of each fault decide whether it is good enough. */
export function measure(entries: readonly Entry[], referenceMs: number): Measures {
  const bad = entries.filter((entry) => !isGood(entry));
  const counts: Record<string, number> = {};
  for (const { op, status, code } of bad) {
    const kind = `${op} ${status ?? ""} ${code ?? ""}`.replaceAll(/\s+/g, " ").trim();
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  const lastBad = Math.max(
    referenceMs,
    largest(bad, ({ ended }) => ended),
  );
  return {
    all: shareOf(entries),
    by: Object.fromEntries(
      OPERATIONS.map((op) => [op, shareOf(entries.filter((entry) => entry.op === op))]),
    ) as Measures["by"],
    recoverySeconds: (lastBad - referenceMs) / 1_000,
    bad: counts,
    slowestMs: Math.max(
      0,
      largest(entries, ({ code, started, ended }) => (code === "NOT_SENT" ? 0 : ended - started)),
    ),
  };
}

/** Measures the requests that began within an interval. */
export function answersBegun(entries: readonly Entry[], fromMs: number, toMs: number): Measures {
  return measure(
    entries.filter(({ started }) => started >= fromMs && started <= toMs),
    fromMs,
  );
}

function shareOf(entries: readonly Entry[]): Share {
  const good = entries.filter(isGood).length;
  return {
    answers: entries.length,
    good,
    percent: entries.length === 0 ? 100 : (100 * good) / entries.length,
  };
}

/**
 * Seconds until the end of the first successful purchase begun after `fromMs`. Undefined if none.
 */
export function secondsToFirstSale(
  entries: readonly Entry[],
  event: string,
  fromMs: number,
): number | undefined {
  const sales = entries.filter(
    (entry) =>
      entry.op === "buy" &&
      entry.outcome === "ok" &&
      entry.event === event &&
      entry.started >= fromMs,
  );
  return sales.length === 0 ? undefined : (-largest(sales, ({ ended }) => -ended) - fromMs) / 1_000;
}

/** A loop, because a soak has more entries than a call can have arguments. */
function largest(entries: readonly Entry[], of: (entry: Entry) => number): number {
  return entries.reduce((most, entry) => Math.max(most, of(entry)), -Infinity);
}
