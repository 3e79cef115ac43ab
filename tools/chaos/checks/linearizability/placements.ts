import type { EventStatus } from "../../../../domain/event-record.ts";
import type { BuyTickets, CancelTicket } from "../../../../domain/event-state.ts";
import { type Evidence, EvidenceOf, sameIds } from "./evidence.ts";
import {
  describeOperation,
  type EventHistory,
  type ListedTicket,
  type Operation,
  type Refused,
} from "./history.ts";

export type Import = { type: "Import"; total: number; status?: EventStatus | undefined };
type Demand = BuyTickets | CancelTicket | Import;
type Placed = {
  /** The interval in which the operation must be placed. */
  start: number;
  end: number;
  user: string;
  /** The operation that shows it, for messages. */
  from: Operation;
};

/** Changes the state. All tries of one command are one effect, which happens at most once. */
export type Effect = Placed & {
  kind: "effect";
  command: Demand;
  /** Tickets that a purchase makes. Empty if no answer and no row names them. */
  tickets: readonly string[];
  /** An unknown outcome that may have done nothing. */
  optional: boolean;
};
/** Reads the state: a refusal that must be due, or a list that must be exact. */
export type Observation = Placed & {
  kind: "observation";
  reads:
    | { type: "refusal"; command: Demand; refused: Refused }
    | { type: "list"; tickets: readonly ListedTicket[] };
};
export type Placement = Effect | Observation;

/** Refusals that the event's state explains. Others, such as TRY_AGAIN, promise no effect. */
const JUDGED: ReadonlySet<string> = new Set([
  "EVENT_CANCELLED",
  "EVENT_NOT_FOUND",
  "EVENT_OVER",
  "EVENT_POSTPONED",
  "EVENT_SOLD_OUT",
  "IDEMPOTENCY_KEY_REUSED",
  "PURCHASE_LIMIT_REACHED",
  "TICKET_NOT_FOUND",
  "TOTAL_BELOW_SOLD",
]);

/** The status that a refusal names; undefined for all others. */
export function refusedStatus({ reads }: Observation): EventStatus | undefined {
  if (reads.type !== "refusal") return undefined;
  const { code } = reads.refused;
  if (code === "EVENT_CANCELLED") return "cancelled";
  return code === "EVENT_POSTPONED" ? "postponed" : undefined;
}

/** Tells whether the event is ever postponed or cancelled. */
export function stopsSales(
  { status = "scheduled" }: EventHistory,
  placements: readonly Placement[],
): boolean {
  return (
    status !== "scheduled" ||
    placements.some(
      (one) =>
        one.kind === "effect" &&
        one.command.type === "Import" &&
        (one.command.status ?? "scheduled") !== "scheduled",
    )
  );
}

/** The quantity that was refused as sold out; 0 for everything else. */
export function soldOutQuantity({ reads }: Observation): number {
  if (reads.type !== "refusal" || reads.refused.code !== "EVENT_SOLD_OUT") return 0;
  return reads.command.type === "BuyTickets" ? reads.command.quantity : 0;
}

/** Finds what an order must place, and contradictions that no order can explain. */
export function placementsOf(history: EventHistory): {
  placements: Placement[];
  contradictions: string[];
  /** Tickets that cannot be judged without the rows. */
  unattributed: string[];
} {
  const evidence = new EvidenceOf(history);
  const { contradictions, unattributed } = evidence;
  const placements: Placement[] = [];
  for (const operation of history.operations) {
    const { user, started, ended } = operation;
    const placed = { start: started, end: ended, user, from: operation };
    if (operation.op === "list") {
      const { tickets } = operation;
      placements.push({ ...placed, kind: "observation", reads: { type: "list", tickets } });
      continue;
    }
    const { answer } = operation;
    const command = commandOf(operation);
    if (answer.type === "refused") {
      const judged = answer.code !== "EVENT_OVER" || history.startsAtMs !== undefined;
      if (judged && JUDGED.has(answer.code))
        placements.push({
          ...placed,
          kind: "observation",
          reads: { type: "refusal", command, refused: answer },
        });
    } else if (command.type === "Import") {
      const optional = answer.type === "unknown";
      const end = optional ? Infinity : ended;
      placements.push({ ...placed, end, kind: "effect", command, tickets: [], optional });
    }
  }
  const effect = (
    { command, first, seen, from }: Evidence<BuyTickets | CancelTicket>,
    tickets: readonly string[],
  ): void => {
    // Rows after the last operation leave no doubt.
    const optional = history.settled === undefined && seen === Infinity;
    const { userId: user } = command;
    placements.push({
      kind: "effect",
      start: first,
      end: seen,
      user,
      from,
      command,
      tickets,
      optional,
    });
  };
  purchaseEffects(history, evidence, effect);
  cancellationEffects(history, evidence, effect);
  return { placements, contradictions, unattributed };
}

type AddEffect = (
  evidence: Evidence<BuyTickets | CancelTicket>,
  tickets: readonly string[],
) => void;

/** Drops purchases of unknown outcome that have no rows. */
function purchaseEffects(history: EventHistory, evidence: EvidenceOf, add: AddEffect): void {
  const { purchases, contradictions, settledSales, initialSales } = evidence;
  const known = new Set(initialSales.keys());
  for (const purchase of purchases.values()) {
    const { command, tickets, seen, from } = purchase;
    known.add(command.transactionId);
    const sale = settledSales.get(command.transactionId);
    const isOwn = sale?.user === command.userId && sale.ids.length === command.quantity;
    if (history.settled === undefined) add(purchase, tickets ?? []);
    else if (isOwn && (tickets === undefined || sameIds(tickets, sale.ids)))
      add(purchase, sale.ids);
    else if (seen < Infinity) {
      const rows = sale === undefined ? "none" : `${sale.ids.join(", ")} of ${sale.user}`;
      contradictions.push(`the rows of a sale are ${rows}: ${describeOperation(from)}`);
    }
  }
  for (const [transaction, { ids }] of settledSales)
    if (!known.has(transaction))
      contradictions.push(`tickets ${ids.join(", ")} of ${transaction} without a request`);
}

function cancellationEffects(history: EventHistory, evidence: EvidenceOf, add: AddEffect): void {
  const { cancellations, contradictions } = evidence;
  const { settled, initial = [] } = history;
  const cancelled = new Map(
    settled?.tickets.filter((row) => row.cancelled).map((row) => [row.id, row.user]),
  );
  const requested = new Set<string>();
  for (const cancellation of cancellations.values()) {
    const { command, seen, from } = cancellation;
    const { ticketId, userId } = command;
    requested.add(ticketId);
    if (settled === undefined || cancelled.get(ticketId) === userId) add(cancellation, []);
    else if (seen < Infinity)
      contradictions.push(`the row of a ticket is not cancelled: ${describeOperation(from)}`);
  }
  for (const { id, cancelled: already } of initial) if (already) cancelled.delete(id);
  for (const id of cancelled.keys())
    if (!requested.has(id)) contradictions.push(`${id} is cancelled without a request`);
}

function commandOf(operation: Exclude<Operation, { op: "list" }>): Demand {
  const { user: userId } = operation;
  switch (operation.op) {
    case "buy": {
      const { transaction: transactionId, quantity } = operation;
      return { type: "BuyTickets", transactionId, userId, quantity };
    }
    case "cancel": {
      const { ticket: ticketId } = operation;
      return { type: "CancelTicket", transactionId: ticketId, userId, ticketId };
    }
    case "import":
      return { type: "Import", total: operation.total, status: operation.status };
    default:
      return operation satisfies never;
  }
}
