import { groupBy } from "./violation.ts";
import { Bounds } from "./linearizability/bounds.ts";
import { describeOperation, type EventHistory } from "./linearizability/history.ts";
import { type Placement, placementsOf } from "./linearizability/placements.ts";
import { Search, type SearchResult } from "./linearizability/search.ts";

/**
 * `not-judged`: the search has used up its budget. That is a failure of the check, never a pass.
 */
export type Verdict =
  | { type: "linearizable"; steps: number }
  | { type: "violated"; texts: string[] }
  | { type: "not-judged"; text: string };

/** Steps of one search. A step is one `decide`; a million take a few seconds. */
const STEPS_MAX = 1_000_000;
const TOLD_MAX = 12;

/**
 * Judges one event (I10): is there one order of its operations that respects real time and in
 * which every answer is what `domain/` decides? Linearizability is local (Herlihy and Wing, 1990),
 * so each event is judged alone. Within an event, customers meet only where places are scarce:
 *
 * 1. Contradictions that no order explains: two answers for one key, a sale without rows.
 * 2. Each customer alone, as if places were endless.
 * 3. Bounds of the free places. Where they are never scarce, step 2 was the whole proof.
 * 4. All operations together. See `Search`.
 */
export function checkLinearizability(
  history: EventHistory,
  { stepsMax = STEPS_MAX }: { stepsMax?: number } = {},
): Verdict {
  const { placements, contradictions, unattributed } = placementsOf(history);
  if (contradictions.length > 0) return violated(history, contradictions);
  if (unattributed[0] !== undefined)
    return { type: "not-judged", text: `event ${history.event}, not judged: ${unattributed[0]}` };
  let steps = 0;
  const customers = placements.filter((one) => !isImport(one));
  for (const [user, ofUser] of groupBy(customers, (one) => one.user)) {
    const result = new Search(history, ofUser, false).run(stepsMax);
    if (result.type !== "linearizable")
      return failure(history, ofUser, result, `customer ${user} alone`);
    steps += result.steps;
  }
  const bounds = new Bounds(history, placements);
  const outside = bounds.contradictions();
  if (outside.length > 0) return violated(history, outside);
  if (bounds.scarce) {
    const result = new Search(history, placements, true).run(stepsMax);
    if (result.type !== "linearizable") return failure(history, placements, result, "all together");
    steps += result.steps;
  }
  const wrong = wrongPlaces(history);
  if (wrong !== undefined) return violated(history, [wrong]);
  return { type: "linearizable", steps };
}

function violated({ event }: EventHistory, found: readonly string[]): Verdict {
  const texts = found.slice(0, TOLD_MAX).map((text) => `event ${event}: ${text}`);
  if (found.length > TOLD_MAX) texts.push(`event ${event}: and ${found.length - TOLD_MAX} more`);
  return { type: "violated", texts };
}

/** A cancellation that freed two places shows here, if the second one stays free. */
function wrongPlaces({ settled }: EventHistory): string | undefined {
  if (settled?.places === undefined) return undefined;
  const { total, available } = settled.places;
  const active = settled.tickets.filter(({ cancelled }) => !cancelled).length;
  if (available === total - active) return undefined;
  return `${available} places are free at the end, where ${total} − ${active} should be`;
}

/** Names the operation that cannot be placed, the smallest prefix, and what was open with it. */
function failure(
  { event }: EventHistory,
  placements: readonly Placement[],
  result: Exclude<SearchResult, { type: "linearizable" }>,
  judged: string,
): Verdict {
  if (result.type === "gave-up")
    return {
      type: "not-judged",
      text:
        `event ${event}, ${judged}: not judged, the search of ${placements.length} operations ` +
        `gave up after ${result.steps} steps`,
    };
  const { stuck, available } = result;
  const prefix = placements.filter(({ start }) => start <= stuck.end);
  const near = prefix
    .filter((one) => one !== stuck && (one.end >= stuck.start || one.user === stuck.user))
    .slice(-TOLD_MAX);
  const free = Number.isFinite(available) ? `, with ${available} places free before it` : "";
  return {
    type: "violated",
    texts: [
      [
        `event ${event}, ${judged}: no order of the first ${prefix.length} operations explains ` +
          `${describeOperation(stuck.from)}${free}`,
        ...near.map(({ from }) => `    beside ${describeOperation(from)}`),
      ].join("\n"),
    ],
  };
}

function isImport(one: Placement): boolean {
  const command =
    one.kind === "effect"
      ? one.command
      : one.reads.type === "refusal"
        ? one.reads.command
        : undefined;
  return command?.type === "Import";
}
