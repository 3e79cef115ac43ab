import type { Rows } from "../rows.ts";
import { type Violation, groupBy } from "./violation.ts";

/**
 * I5: a row that waits has as many places as its sale has tickets, no batch both waits and is
 * booked, and the ledger's sum is purchases minus cancellations.
 */
export function checkLedger({ tickets, waiting, ledger, places }: Rows): Violation[] {
  const violations: Violation[] = [];
  const wrong = (text: string): void => void violations.push({ invariant: "I5", text });
  const sold = groupBy(tickets, ({ transaction }) => transaction);
  const booked = new Set(ledger.map(({ event, batch }) => `${event} ${batch}`));

  for (const { transaction, event, batch, quantity } of waiting) {
    const count = sold.get(transaction)?.length ?? 0;
    if (quantity < 0 && quantity !== -count)
      wrong(`transaction ${transaction} has ${count} tickets and a row of ${quantity}`);
    if (booked.has(`${event} ${batch}`))
      wrong(`batch ${batch} of event ${event} is booked, and transaction ${transaction} waits`);
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
