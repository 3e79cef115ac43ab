import type { BuyTickets, CancelTicket } from "../../../../domain/event-state.ts";
import { describeOperation, type EventHistory, type Operation, type TicketRow } from "./history.ts";

/** What the answers show about one effect. All tries of a command share it. */
export type Evidence<Command> = {
  command: Command;
  /** Start of the first try that can have had the effect. */
  first: number;
  /** End of the first operation that shows the effect. Infinity: only rows can show it. */
  seen: number;
  /** Tickets that the answers name. */
  tickets: readonly string[] | undefined;
  from: Operation;
};
type Sale = { user: string; ids: string[] };
type Buy = Operation & { op: "buy" };
type List = Operation & { op: "list" };

/** Gathers which effects the answers show, and what contradicts itself without any search. */
export class EvidenceOf {
  readonly purchases = new Map<string, Evidence<BuyTickets>>();
  readonly cancellations = new Map<string, Evidence<CancelTicket>>();
  readonly contradictions: string[] = [];
  /** Tickets that no answer and no row attributes to a purchase. */
  readonly unattributed: string[] = [];
  /** Sales by transaction, before the first operation and after the last one. */
  readonly initialSales: Map<string, Sale>;
  readonly settledSales: Map<string, Sale>;
  private readonly initialTickets: Map<string, TicketRow>;
  private readonly settled: boolean;
  /** The purchase of each ticket. */
  private readonly soldBy = new Map<string, string>();

  constructor({ operations, initial = [], settled }: EventHistory) {
    this.initialTickets = new Map(initial.map((row) => [row.id, row]));
    this.settled = settled !== undefined;
    this.initialSales = salesOf(initial);
    this.settledSales = salesOf(settled?.tickets ?? []);
    for (const operation of operations)
      if (operation.op === "buy") this.readPurchase(operation);
      else if (operation.op === "cancel") this.readCancellation(operation);
    for (const [name, { tickets, command }] of this.purchases) {
      const rows = this.settledSales.get(command.transactionId)?.ids ?? [];
      const ids = tickets ?? (rows.length === command.quantity ? rows : []);
      for (const id of ids) this.attribute(id, name);
    }
    for (const operation of operations)
      if (operation.op === "list") this.readList(operation);
      else if (operation.op === "buy") this.readReuse(operation);
      else if (operation.op === "cancel" && operation.answer.type === "cancelled")
        this.require(operation.ticket, operation);
  }

  private readPurchase(operation: Buy): void {
    const { answer, transaction, quantity, user } = operation;
    if (answer.type === "refused") return;
    const tickets = answer.type === "sold" ? answer.tickets : undefined;
    const earlier = this.initialSales.get(transaction);
    if (tickets !== undefined) this.compare(operation, tickets, earlier?.ids);
    if (earlier !== undefined) return;
    const name = `${transaction} ${quantity}`;
    const known = this.purchases.get(name);
    if (tickets !== undefined) this.compare(operation, tickets, known?.tickets);
    this.purchases.set(name, {
      command: { type: "BuyTickets", transactionId: transaction, userId: user, quantity },
      ...seenBy(known, operation, tickets !== undefined),
      tickets: known?.tickets ?? tickets,
    });
  }

  private readCancellation(operation: Operation & { op: "cancel" }): void {
    const { answer, ticket, user } = operation;
    if (answer.type === "refused" || this.initialTickets.get(ticket)?.cancelled === true) return;
    const name = nameOf(user, ticket);
    const known = this.cancellations.get(name);
    this.cancellations.set(name, {
      command: { type: "CancelTicket", transactionId: ticket, userId: user, ticketId: ticket },
      ...seenBy(known, operation, answer.type === "cancelled"),
      tickets: undefined,
    });
  }

  /** A list shows the sales of its tickets and their cancellations. */
  private readList(operation: List): void {
    const { tickets, user, ended } = operation;
    for (const { id, cancelled } of tickets) {
      show(this.purchases.get(this.soldBy.get(id) ?? ""), ended);
      if (cancelled === true) show(this.cancellations.get(nameOf(user, id)), ended);
      this.require(id, operation);
    }
  }

  /** IDEMPOTENCY_KEY_REUSED shows a sale of the key with another quantity. */
  private readReuse({ answer, transaction, quantity, ended }: Buy): void {
    if (answer.type !== "refused" || answer.code !== "IDEMPOTENCY_KEY_REUSED") return;
    const others = [...this.purchases.values()].filter(
      ({ command }) => command.transactionId === transaction && command.quantity !== quantity,
    );
    if (others.length === 1) show(others[0], ended);
  }

  private compare(
    operation: Buy,
    tickets: readonly string[],
    known: readonly string[] | undefined,
  ): void {
    const wrong = (what: string): void =>
      void this.contradictions.push(`${what}: ${describeOperation(operation)}`);
    if (new Set(tickets).size !== operation.quantity || tickets.length !== operation.quantity)
      wrong("an answer without the quantity that was asked for");
    if (known !== undefined && !sameIds(known, tickets))
      wrong(`one key has two answers, the other with ${known.join(", ")}`);
  }

  private attribute(id: string, name: string): void {
    const other = this.soldBy.get(id);
    if (other !== undefined && other !== name)
      this.contradictions.push(`ticket ${id} was sold to ${other} and to ${name}`);
    this.soldBy.set(id, name);
  }

  /** Rows name every ticket. Without them, a ticket can be that of an unknown outcome. */
  private require(id: string, operation: Operation): void {
    if (this.soldBy.has(id) || this.initialTickets.has(id)) return;
    const found = this.settled ? this.contradictions : this.unattributed;
    found.push(`ticket ${id} of no known purchase: ${describeOperation(operation)}`);
  }
}

/** Only the owner can cancel a ticket, so tries of other customers are commands of their own. */
function nameOf(user: string, ticket: string): string {
  return `${user} ${ticket}`;
}

/** Adds a try to what is known. `shown`: its answer shows the effect. */
function seenBy(
  known: { first: number; seen: number; from: Operation } | undefined,
  operation: Operation,
  shown: boolean,
): { first: number; seen: number; from: Operation } {
  const first = Math.min(known?.first ?? Infinity, operation.started);
  const seen = Math.min(known?.seen ?? Infinity, shown ? operation.ended : Infinity);
  // The try that shows the effect first explains it best.
  return { first, seen, from: known === undefined || seen < known.seen ? operation : known.from };
}

function show(evidence: { seen: number } | undefined, ended: number): void {
  if (evidence !== undefined) evidence.seen = Math.min(evidence.seen, ended);
}

function salesOf(rows: readonly TicketRow[]): Map<string, Sale> {
  const sales = new Map<string, Sale>();
  for (const { id, user, transaction } of rows) {
    const sale = sales.get(transaction) ?? { user, ids: [] };
    sales.set(transaction, sale);
    sale.ids.push(id);
  }
  return sales;
}

export function sameIds(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  const ids = new Set(one);
  return other.every((id) => ids.has(id));
}
