import type { Command } from "../../../domain/event-state.ts";
import { accepted, refused } from "../../../domain/refusal.ts";
import type { Clock } from "../../../lib/concurrency/clock.ts";
import { NOTHING } from "./batch.ts";
import type { Entry } from "./mailbox.ts";
import type { EventStore, Outcome, Purchase } from "./ports.ts";

/**
 * What the worker knows. `epoch`: the last one that this node took. `mayBeSelling`: whether it has
 * another command of that key, which it may sell or is committing. `storeAway`: PostgreSQL did not
 * give it an epoch.
 */
type Known = {
  epoch: () => number | undefined;
  mayBeSelling: (entry: Entry) => boolean;
  storeAway: () => boolean;
};
type Ports = { clock: Clock; store: Pick<EventStore, "readPurchases" | "load"> };

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
 * not sold and that no sale of it is under way. So PostgreSQL is asked, and a sold key gets its
 * sale. An unsold one gets TRY_AGAIN if this node's last epoch was taken before the reading and is
 * valid after it, since no other node sells meanwhile. Otherwise it gets OUTCOME_UNKNOWN, since
 * another node, or another command of that key, may be committing the sale. If PostgreSQL does not
 * answer, TRY_AGAIN is for commands whose commit it has reported as failed.
 */
export class Undecided {
  private readonly eventId: string;
  private readonly clock: Clock;
  private readonly store: Ports["store"];
  private readonly known: Known;
  private waiting: Entry[] = [];
  private looking = false;

  constructor(eventId: string, { clock, store }: Ports, known: Known) {
    this.eventId = eventId;
    this.clock = clock;
    this.store = store;
    this.known = known;
  }

  /** Takes commands that no batch may decide any more. Each gets an answer within half a second. */
  answer(entries: readonly Entry[]): void {
    const unclear: Entry[] = [];
    for (const entry of entries) {
      entry.givenUp = true;
      if (entry.sentAtMs !== undefined) entry.answer(refused("OUTCOME_UNKNOWN"));
      else if (entry.command.type === "CancelTicket") entry.answer(refused("TRY_AGAIN"));
      else unclear.push(entry);
    }
    if (unclear.length === 0) return;
    if (this.known.storeAway()) return this.answerWithoutStore(unclear);
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
      try {
        await this.answerFromStore(entries);
      } catch {
        this.answerWithoutStore(entries);
      }
    }
    this.looking = false;
  }

  private async answerFromStore(entries: readonly Entry[]): Promise<void> {
    const { eventId, store } = this;
    const { epoch: lastEpoch, mayBeSelling } = this.known;
    const epoch = lastEpoch();
    const keys = entries.flatMap(({ command }) => (command.type === "BuyTickets" ? [command] : []));
    const doubtful = new Set(entries.filter(mayBeSelling));
    const purchases = await store.readPurchases(eventId, keys);
    const unsold: Entry[] = [];
    for (const entry of entries) {
      const sold = purchases.get(entry.command.transactionId);
      if (sold === undefined) unsold.push(entry);
      else entry.answer(outcomeOf(entry, sold));
    }
    if (unsold.length === 0) return;
    const owned =
      epoch !== undefined &&
      epoch === lastEpoch() &&
      epoch === (await store.load(eventId, NOTHING)).epoch;
    for (const entry of unsold) {
      const certain = owned && !doubtful.has(entry) && !mayBeSelling(entry);
      entry.answer(refused(certain ? "TRY_AGAIN" : "OUTCOME_UNKNOWN"));
    }
  }

  private answerWithoutStore(entries: readonly Entry[]): void {
    for (const entry of entries)
      entry.answer(refused(entry.notSold ? "TRY_AGAIN" : "OUTCOME_UNKNOWN"));
  }
}

/** Refuses a command that was not looked up: the key of a purchase may be sold. */
export function notLookedUp({ type }: Command): Outcome {
  return refused(type === "BuyTickets" ? "OUTCOME_UNKNOWN" : "TRY_AGAIN");
}

function outcomeOf({ command }: Entry, sold: Omit<Purchase, "replayed">): Outcome {
  return command.type === "BuyTickets" && command.quantity !== sold.quantity
    ? refused("IDEMPOTENCY_KEY_REUSED")
    : accepted({ ...sold, replayed: true });
}
