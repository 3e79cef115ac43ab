export const OPERATIONS = ["buy", "cancel", "list", "search"] as const;
export type Operation = (typeof OPERATIONS)[number];

/**
 * `refused`: an expected no, or 503 TRY_AGAIN, which promises that nothing was done, or a request that was certainly never sent.
 * `unknown`: a time-out, a cut connection, any other 5xx.
 */
export type Outcome = "ok" | "refused" | "unknown";

/** One request and what its customer knows of it. */
export type Entry = {
  op: Operation;
  user: string;
  /** Undefined for lists and searches. */
  event: string | undefined;
  /** buy: the idempotency key; cancel: the ticket's id. */
  key: string;
  /** Of a purchase; else 0. */
  quantity: number;
  /** The transaction id that this must have, derived by the checker's own hands from DESIGN.md's formula. */
  transaction: string;
  /** Which gateway was asked. */
  via: string;
  /** Milliseconds of this process's monotonic clock. */
  started: number;
  ended: number;
  outcome: Outcome;
  /** Of HTTP; undefined where no answer came. */
  status: number | undefined;
  /** The problem's code, or what kept the answer away. */
  code: string | undefined;
  /** As answered; undefined where the answer names none. */
  answeredTransaction: string | undefined;
  /** Ids bought, cancelled or listed, as answered. */
  tickets: readonly string[];
};

/** What all customers of one fault have seen. */
export class Journal {
  readonly entries: Entry[] = [];
  private readonly latest = new Map<string, Entry>();

  add(entry: Entry): void {
    this.entries.push(entry);
    if (entry.op !== "buy" && entry.op !== "cancel") return;
    const name = commandOf(entry);
    // What was ok once is settled, whatever a later repetition met.
    if (this.latest.get(name)?.outcome !== "ok") this.latest.set(name, entry);
  }

  /** The last entry of each command of which nobody knows yet whether it was done. */
  unsettled(): Entry[] {
    return [...this.latest.values()].filter(({ outcome }) => outcome === "unknown");
  }
}

/** Repetitions of one command have the same name. */
export function commandOf({
  op,
  user,
  event,
  key,
}: Pick<Entry, "op" | "user" | "event" | "key">): string {
  return op === "cancel" ? `cancel ${key}` : `${op} ${user} ${event ?? ""} ${key}`;
}

/** Good is what the contract promises a customer on an ordinary day: done, or an expected no. A 503 is not. */
export function isGood({ status }: Pick<Entry, "status">): boolean {
  return status !== undefined && ((status >= 200 && status < 300) || status === 409);
}
