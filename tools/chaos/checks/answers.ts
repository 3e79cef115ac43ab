import type { Entry, Journal } from "../load/journal.ts";
import type { Places, Rows } from "../rows.ts";
import { checkLinearizability } from "./linearizability.ts";
import type { EventHistory, Operation, Refused } from "./linearizability/history.ts";
import type { Violation } from "./violation.ts";

/** The clocks of this process and of PostgreSQL are read at different moments. */
const CLOCK_TOLERANCE_MS = 2_000;

type Told = Pick<Journal, "entries" | "imports" | "sales">;

/**
 * I10: one order of operations that respects real time explains every 201, 409 and list, also a
 * list from copies. `rows` decide which unknown outcomes took effect. Searches are not judged: they
 * may be stale.
 */
export function checkAnswers(journal: Told, rows: Rows, limit: number): Violation[] {
  const eventOf = new Map(rows.tickets.map(({ id, event }) => [id, event]));
  const lists = journal.entries.filter(({ op, outcome }) => op === "list" && outcome === "ok");
  const paged = lists.filter(({ pages = 1 }) => pages > 1).length;
  const texts = rows.places.flatMap((places) => {
    const verdict = checkLinearizability(historyOf(places, journal, rows, lists, limit));
    if (verdict.type === "linearizable") return [];
    return verdict.type === "violated" ? verdict.texts : [verdict.text];
  });
  if (paged > 0) texts.push(`not judged: ${paged} lists of several pages are not of one moment`);
  for (const { user, tickets } of lists)
    for (const id of tickets)
      if (!eventOf.has(id)) texts.push(`the list of ${user} has ${id}, which has no row`);
  return texts.map((text) => ({ invariant: "I10", text }));
}

function historyOf(
  places: Places,
  { entries, imports, sales }: Told,
  { tickets }: Rows,
  lists: readonly Entry[],
  limit: number,
): EventHistory {
  const { event, total, capacity, unbooked } = places;
  const sale = sales.get(event);
  const own = new Set(tickets.filter((row) => row.event === event).map(({ id }) => id));
  const changes = imports.filter((change) => change.event === event);
  const operations: Operation[] = changes.map((change) => {
    const { started, ended, total: wanted, outcome, status } = change;
    const answer =
      outcome === "refused" ? refused({ code: "TOTAL_BELOW_SOLD" }) : { type: outcome };
    const changed = { total: wanted, ...(status !== undefined && { status }) };
    return { op: "import", user: "feed", started, ended, ...changed, answer };
  });
  const buyers = new Set<string>();
  for (const entry of entries) {
    const operation = entry.event === event ? commandOf(entry) : undefined;
    if (operation === undefined) continue;
    operations.push(operation);
    buyers.add(entry.user);
  }
  for (const list of lists) {
    const { user, started, ended } = list;
    if (!buyers.has(user) || (list.pages ?? 1) > 1) continue;
    const cancelled = new Set(list.cancelled);
    const listed = list.tickets
      .filter((id) => own.has(id))
      .map((id) => ({ id, cancelled: list.cancelled && cancelled.has(id) }));
    operations.push({ op: "list", user, started, ended, tickets: listed });
  }
  return {
    event,
    total: sale?.total ?? total,
    limits: { ticketsPerCustomerMax: limit },
    operations,
    // A feed can move the start.
    startsAtMs: changes.length === 0 ? sale?.startsAtMs : undefined,
    clockToleranceMs: CLOCK_TOLERANCE_MS,
    settled: {
      tickets: tickets.filter((row) => row.event === event),
      places: { total, available: capacity + unbooked },
    },
  };
}

function commandOf(entry: Entry): Operation | undefined {
  const { op, user, started, ended, outcome, transaction, quantity, key, tickets } = entry;
  const placed = { user, started, ended };
  const answer = outcome === "unknown" ? { type: "unknown" as const } : refused(entry);
  if (op === "buy") {
    const sold = { type: "sold" as const, tickets };
    return { op, ...placed, transaction, quantity, answer: outcome === "ok" ? sold : answer };
  }
  if (op !== "cancel") return undefined;
  return {
    op,
    ...placed,
    ticket: key,
    answer: outcome === "ok" ? { type: "cancelled" } : answer,
  };
}

function refused({
  code,
  available,
  active,
}: Pick<Entry, "code" | "available" | "active">): Refused {
  return { type: "refused", code: code ?? "", available, active };
}
