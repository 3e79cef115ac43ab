import { type Entry, commandOf } from "../load/journal.ts";
import type { Rows } from "../rows.ts";
import { type Violation, groupBy } from "./violation.ts";

/**
 * I2: compares every purchase of the journal with the tickets, and every ticket with the journal.
 */
export function checkPurchases(
  entries: readonly Entry[],
  rows: Pick<Rows, "tickets">,
): Violation[] {
  const sold = groupBy(rows.tickets, ({ transaction }) => transaction);
  const violations: Violation[] = [];
  const known = new Set<string>();
  const wrong = (text: string): void => void violations.push({ invariant: "I2", text });

  for (const [name, tries] of groupBy(
    entries.filter(({ op }) => op === "buy"),
    commandOf,
  )) {
    const [first] = tries;
    if (first === undefined) continue;
    const { transaction, quantity, user, event } = first;
    known.add(transaction);
    const tickets = sold.get(transaction) ?? [];
    const answers = tries.filter(({ outcome }) => outcome === "ok");
    if (answers.length > 0 && tickets.length !== quantity)
      wrong(`${name} was answered as sold: ${tickets.length} tickets instead of ${quantity}`);
    else if (answers.length === 0 && tries.some(({ outcome }) => outcome === "unknown")) {
      if (tickets.length !== 0 && tickets.length !== quantity)
        wrong(
          `${name} has an unknown outcome: ${tickets.length} tickets instead of 0 or ${quantity}`,
        );
    } else if (answers.length === 0 && tickets.length > 0)
      wrong(`${name} was refused (${codesOf(tries)}): ${tickets.length} tickets exist`);

    const ids = sorted(tickets.map(({ id }) => id));
    for (const answer of answers) {
      if (answer.answeredTransaction !== transaction)
        wrong(
          `${name} was answered with transaction ${answer.answeredTransaction ?? "none"} ` +
            `instead of ${transaction}`,
        );
      else if (sorted(answer.tickets) !== ids)
        wrong(`${name} was answered with tickets ${sorted(answer.tickets)}; there are ${ids}`);
    }
    if (tickets.some((ticket) => ticket.user !== user || ticket.event !== event))
      wrong(`${name} has tickets of another person or event`);
  }
  for (const [transaction, tickets] of sold)
    if (!known.has(transaction))
      wrong(`${tickets.length} tickets of transaction ${transaction} without a request`);
  return violations;
}

/**
 * I3: compares every cancellation with its ticket and waiting row, and every freed ticket with the
 * journal.
 */
export function checkCancellations(
  entries: readonly Entry[],
  rows: Pick<Rows, "tickets" | "waiting">,
): Violation[] {
  const violations: Violation[] = [];
  const wrong = (text: string): void => void violations.push({ invariant: "I3", text });
  const tickets = new Map(rows.tickets.map((ticket) => [ticket.id, ticket]));
  const freed = groupBy(rows.waiting, ({ transaction }) => transaction);
  const asked = groupBy(
    entries.filter(({ op }) => op === "cancel"),
    ({ key }) => key,
  );

  for (const [id, tries] of asked) {
    const ticket = tickets.get(id);
    const places = (freed.get(tries[0]?.transaction ?? "") ?? []).map(({ quantity }) => quantity);
    const ok = tries.some(({ outcome }) => outcome === "ok");
    const unknown = tries.some(({ outcome }) => outcome === "unknown");
    if (ok && ticket?.cancelled !== true)
      wrong(`ticket ${id} was answered as cancelled and is not`);
    if (!ok && !unknown && ticket?.cancelled === true)
      wrong(
        `the cancellation of ticket ${id} was refused (${codesOf(tries)}), but it is cancelled`,
      );
    // Customers cancel only tickets that they have bought.
    if (ticket !== undefined && tries.some(({ code }) => code === "TICKET_NOT_FOUND"))
      wrong(`ticket ${id} was not found, and is there`);
    // Of what is booked the ledger has sums only, which I5 compares.
    if (places.length > 0 && (places.join() !== "1" || ticket?.cancelled !== true))
      wrong(`the cancellation of ticket ${id} frees ${places.join(" and ")}`);
  }
  for (const { id, cancelled } of rows.tickets)
    if (cancelled && !asked.has(id)) wrong(`ticket ${id} is cancelled without a request`);
  return violations;
}

/** I9: a ticket that one list contains is in every later list of its owner. */
export function checkLists(entries: readonly Entry[]): Violation[] {
  const violations: Violation[] = [];
  const lists = entries.filter(({ op, outcome }) => op === "list" && outcome === "ok");
  for (const [user, ofUser] of groupBy(lists, (entry) => entry.user)) {
    const inOrder = [...ofUser].sort((a, b) => a.started - b.started);
    for (const [index, later] of inOrder.entries()) {
      const shown = new Set(later.tickets);
      // A list is compared with all lists that had ended before it began.
      const gone = inOrder
        .slice(0, index)
        .flatMap((earlier) =>
          earlier.ended <= later.started ? earlier.tickets.filter((id) => !shown.has(id)) : [],
        );
      if (gone.length > 0)
        violations.push({
          invariant: "I9",
          text: `the list of ${user} no longer has ${[...new Set(gone)].join(", ")}`,
        });
    }
  }
  return violations;
}

/** I11: a key that was answered as sold is not answered TRY_AGAIN afterwards. */
export function checkTryAgain(entries: readonly Entry[]): Violation[] {
  const purchases = entries.filter(({ op }) => op === "buy");
  return [...groupBy(purchases, commandOf)].flatMap(([name, tries]): Violation[] => {
    const sold = tries.filter(({ outcome }) => outcome === "ok").map(({ ended }) => ended);
    const wrong = tries.filter(
      ({ code, started }) => code === "TRY_AGAIN" && sold.some((ended) => ended <= started),
    );
    return wrong.map(({ via, started }) => ({
      invariant: "I11",
      text: `${name} was sold, and answered TRY_AGAIN by ${via} at ${Math.round(started)} ms`,
    }));
  });
}

function codesOf(entries: readonly Entry[]): string {
  return [
    ...new Set(entries.map(({ status, code }) => `${status ?? ""} ${code ?? ""}`.trim())),
  ].join(", ");
}

function sorted(ids: readonly string[]): string {
  return [...ids].sort().join(" ");
}
