/** The answer of one call of `ledger.reconcile`, as it comes over the bus. */
export type Part = {
  events: number;
  differences: {
    kind: string;
    eventId: string;
    transactionId?: string;
    sentence: string;
    mended: boolean;
  }[];
  /** Differences beyond those listed, at least. */
  more: number;
  copiesCompared: boolean;
  /** Where the next call goes on. Missing: all is compared. */
  next?: string;
};

export type ReconcileCall = { eventId?: string; from?: string };

/** Differences that are kept of a whole run; the others are counted. */
const KEPT_MAX = 1_000;

/**
 * Calls `ledger.reconcile` until all is compared, and adds the answers. `onPart` hears the sum so
 * far and the position that the next call begins at.
 */
export async function reconcileAll(
  call: (params: ReconcileCall) => Promise<Part>,
  begin: ReconcileCall = {},
  onPart: (sum: Part, next: string) => void = () => undefined,
): Promise<Part> {
  const sum: Part = { events: 0, differences: [], more: 0, copiesCompared: true };
  for (let params = begin; ;) {
    const { events, differences, more, copiesCompared, next } = await call(params);
    const kept = differences.slice(0, KEPT_MAX - sum.differences.length);
    sum.events += events;
    sum.differences.push(...kept);
    sum.more += more + differences.length - kept.length;
    sum.copiesCompared &&= copiesCompared;
    if (next === undefined) return sum;
    onPart(sum, next);
    params = { ...begin, from: next };
  }
}

/** A line of progress. Ids of events are spread evenly, so a position says how far it is. */
export function progressOf({ events, differences, more }: Part, next: string): string {
  const share = /^[0-9a-f]{8}-/.test(next)
    ? `about ${Math.floor((100 * parseInt(next.slice(0, 8), 16)) / 2 ** 32)} %`
    : "all events, comparing copies in Redis";
  return `${events} events compared (${share}), ${differences.length + more} differences so far`;
}
