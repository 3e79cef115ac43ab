import { type Entry, OPERATIONS, type Operation, isGood } from "../load/journal.ts";

export type Share = { answers: number; good: number; percent: number };

export type Measures = {
  all: Share;
  by: Record<Operation, Share>;
  /** From the fault's reference moment to the end of the last bad answer; 0 where none came after it. */
  recoverySeconds: number;
  /** How often each bad answer came: `buy 503 TRY_AGAIN`. */
  bad: Record<string, number>;
  /** Of those that a gateway took: how long a balancer waits for one that is ready is its own affair. */
  slowestMs: number;
};

/** I8: measured, not judged; each fault's bounds do that. */
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

/** The same for what was begun within a stretch of the run. */
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

/** Seconds from a moment until the end of the first purchase begun after it that was sold; undefined where none was. */
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

/** A soak's entries are more than a call takes arguments. */
function largest(entries: readonly Entry[], of: (entry: Entry) => number): number {
  return entries.reduce((most, entry) => Math.max(most, of(entry)), -Infinity);
}
