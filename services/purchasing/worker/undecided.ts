import { accepted, refused } from "../../../domain/refusal.ts";
import type { Clock } from "../../../lib/concurrency/clock.ts";
import type { Entry } from "./mailbox.ts";
import type { EventStore, Outcome, Purchase } from "./ports.ts";

/** Keys in one question to PostgreSQL. */
const ASKED_AT_ONCE = 500;
/**
 * Longest wait for its answer: ten ticks of 50 ms. Between two of them a busy node reads what has
 * come meanwhile.
 */
const TICKS_MAX = 10;
const TICK_MS = 50;

/**
 * Answers commands that their worker will not decide any more. TRY_AGAIN promises that the key is
 * not sold. So it is given at once only to customers who have bought nothing. The keys of others
 * are looked up: a sold one gets its sale. If PostgreSQL does not answer, it is OUTCOME_UNKNOWN,
 * except where PostgreSQL reported before that the key's commit failed.
 */
export class Undecided {
  private readonly eventId: string;
  private readonly clock: Clock;
  private readonly store: Pick<EventStore, "readPurchases">;
  private readonly boughtNothing: (userId: string) => boolean;
  private waiting: Entry[] = [];
  private looking = false;

  constructor(
    eventId: string,
    { clock, store }: { clock: Clock; store: Pick<EventStore, "readPurchases"> },
    boughtNothing: (userId: string) => boolean,
  ) {
    this.eventId = eventId;
    this.clock = clock;
    this.store = store;
    this.boughtNothing = boughtNothing;
  }

  /** Takes commands that no batch may decide any more. Each gets an answer within half a second. */
  answer(entries: readonly Entry[]): void {
    const unclear: Entry[] = [];
    for (const entry of entries) {
      entry.givenUp = true;
      if (entry.sentAtMs !== undefined) entry.answer(refused("OUTCOME_UNKNOWN"));
      else if (entry.command.type === "CancelTicket" || this.boughtNothing(entry.command.userId))
        entry.answer(refused("TRY_AGAIN"));
      else unclear.push(entry);
    }
    if (unclear.length === 0) return;
    this.waiting.push(...unclear);
    this.answerLater(unclear, TICKS_MAX);
    if (!this.looking) void this.look();
  }

  private answerLater(entries: readonly Entry[], ticks: number): void {
    if (ticks === 0) this.answerWithoutStore(entries);
    else this.clock.after(TICK_MS, () => this.answerLater(entries, ticks - 1));
  }

  private async look(): Promise<void> {
    this.looking = true;
    while (this.waiting.length > 0) {
      const entries = this.waiting.splice(0, ASKED_AT_ONCE);
      const keys = entries.flatMap(({ command }) =>
        command.type === "BuyTickets" ? [command] : [],
      );
      try {
        const purchases = await this.store.readPurchases(this.eventId, keys);
        for (const entry of entries)
          entry.answer(outcomeOf(entry, purchases.get(entry.command.transactionId)));
      } catch {
        this.answerWithoutStore(entries);
      }
    }
    this.looking = false;
  }

  /** Meanwhile the buyers may have been read. An entry that has its answer keeps it. */
  private answerWithoutStore(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const unsold = entry.notSold || this.boughtNothing(entry.command.userId);
      entry.answer(refused(unsold ? "TRY_AGAIN" : "OUTCOME_UNKNOWN"));
    }
  }
}

function outcomeOf({ command }: Entry, sold: Omit<Purchase, "replayed"> | undefined): Outcome {
  if (sold === undefined) return refused("TRY_AGAIN");
  return command.type === "BuyTickets" && command.quantity !== sold.quantity
    ? refused("IDEMPOTENCY_KEY_REUSED")
    : accepted({ ...sold, replayed: true });
}
