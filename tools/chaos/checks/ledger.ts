import type { Rows } from "../rows.ts";
import { type Violation, groupBy } from "./violation.ts";

/**
 * I5: every sale has exactly one row, booked or waiting, with as many places as it has tickets. The
 * ledger's sum is purchases minus cancellations.
 */
export function checkLedger({ tickets, waiting, ledger, places }: Rows): Violation[] {
  const violations: Violation[] = [];
  const wrong = (text: string): void => void violations.push({ invariant: "I5", text });
  const rows = groupBy([...waiting, ...ledger], ({ transaction }) => transaction);

  for (const [transaction, ofSale] of groupBy(tickets, (ticket) => ticket.transaction)) {
    const quantities = (rows.get(transaction) ?? []).map(({ quantity }) => quantity);
    if (quantities.join() !== String(-ofSale.length))
      wrong(
        `transaction ${transaction} has ${ofSale.length} tickets and rows of ` +
          (quantities.join(" and ") || "nothing"),
      );
  }
  for (const { event, active, waiting: notBooked } of places) {
    const sum = ledger
      .filter((row) => row.event === event)
      .reduce((total, { quantity }) => total + quantity, 0);
    const unbooked = waiting
      .filter((row) => row.event === event)
      .reduce((total, { quantity }) => total + quantity, 0);
    if (sum + unbooked !== -active)
      wrong(
        `event ${event}: the ledger sums to ${sum}, ${notBooked} unbooked rows to ${unbooked}; ` +
          `${active} tickets are active`,
      );
  }
  return violations;
}
