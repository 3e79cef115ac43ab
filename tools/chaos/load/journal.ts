import type { EventStatus } from "../../../domain/event-record.ts";
export const OPERATIONS = ["buy", "cancel", "list", "search"] as const;
export type Operation = (typeof OPERATIONS)[number];

/**
 * `refused`: a 409 that was due, a 503 TRY_AGAIN, which promises that nothing was done, or a
 * request that was certainly not sent.
 * `unknown`: a time-out, a cut connection, any other 5xx.
 */
export type Outcome = "ok" | "refused" | "unknown";

/** One request and what its customer knows about it. */
export type Entry = {
  op: Operation;
  user: string;
  /** Undefined for lists and searches. */
  event: string | undefined;
  /** buy: the idempotency key. cancel: the ticket's id. */
  key: string;
  /** Of a purchase, else 0. */
  quantity: number;
  /** The expected transaction id, computed by the checker, independently of the engine. */
  transaction: string;
  /** Name of the gateway. */
  via: string;
  /** Milliseconds of this process's monotonic clock. */
  started: number;
  ended: number;
  outcome: Outcome;
  /** HTTP status. Undefined if no answer came. */
  status: number | undefined;
  /** The problem's code, or the error of the connection. */
  code: string | undefined;
  /** Transaction id of the answer. Undefined if the answer has none. */
  answeredTransaction: string | undefined;
  /** Ticket ids of the answer: bought, cancelled or listed. */
  tickets: readonly string[];
  /** Of a refusal, if the answer has them: places left, and the customer's active tickets. */
  available?: number | undefined;
  active?: number | undefined;
  /** Of a list: the cancelled tickets, and the number of pages that were read. */
  cancelled?: readonly string[];
  pages?: number;
};

/** A change of an event's total by a feed, and of its status if it names one. */
export type ImportEntry = {
  event: string;
  total: number;
  status?: EventStatus;
  started: number;
  ended: number;
  outcome: "imported" | "refused" | "unknown";
};

/** An event as it was put on sale. `startsAtMs`: on this process's monotonic clock. */
export type Sale = { total: number; startsAtMs: number | undefined };

/** What all customers of one fault have seen. */
export class Journal {
  readonly entries: Entry[] = [];
  readonly imports: ImportEntry[] = [];
  readonly sales = new Map<string, Sale>();
  private readonly latest = new Map<string, Entry>();

  add(entry: Entry): void {
    this.entries.push(entry);
    if (entry.op !== "buy" && entry.op !== "cancel") return;
    const name = commandOf(entry);
    // A command that was ok once is settled, whatever a later repetition gets.
    if (this.latest.get(name)?.outcome !== "ok") this.latest.set(name, entry);
  }

  /** Returns the last entry of each command whose outcome is unknown. */
  unsettled(): Entry[] {
    return [...this.latest.values()].filter(({ outcome }) => outcome === "unknown");
  }
}

/** Returns a name that all repetitions of one command share. */
export function commandOf({
  op,
  user,
  event,
  key,
}: Pick<Entry, "op" | "user" | "event" | "key">): string {
  return op === "cancel" ? `cancel ${key}` : `${op} ${user} ${event ?? ""} ${key}`;
}

/** A good answer is one of an ordinary day: done, or a refusal that was due. A 503 is not good. */
export function isGood({ status }: Pick<Entry, "status">): boolean {
  return status !== undefined && ((status >= 200 && status < 300) || status === 409);
}
