import { decide, evolve } from "../../../domain/decide.ts";
import type { Decision, EventState, Limits } from "../../../domain/event-state.ts";
import type { Buyers } from "./ownership.ts";
import type { Entry } from "./mailbox.ts";
import type {
  CancelledTicket,
  CommittedChanges,
  Loaded,
  LoadedEvent,
  Needs,
  Purchase,
  PurchaseKey,
  SoldTickets,
  Ticket,
  Outcome,
  WorkerPorts,
} from "./ports.ts";
import { accepted, refused } from "../../../domain/refusal.ts";
import type { Clock } from "../../../lib/concurrency/clock.ts";
import type { Availability } from "../../../lib/availability/availability-cache.ts";

type DecidedEntry = { entry: Entry; decision: Decision };
export type DecidedBatch = {
  decided: DecidedEntry[];
  sold: SoldTickets[];
  cancelled: CancelledTicket[];
};

/** For a load that reads no more than the ownership row. */
export const NOTHING: Needs = { purchases: [], ticketIds: [], userIds: [] };

/**
 * Lists what must be loaded before these commands can be decided; undefined if nothing. A customer
 * who has bought nothing has no tickets and no sold key. Transactions of others are always looked
 * up: an unknown key may have sold under an earlier epoch.
 */
export function needsOf(
  state: EventState,
  buyers: Buyers,
  entries: readonly Entry[],
): Needs | undefined {
  const purchases = new Map<string, PurchaseKey>();
  const ticketIds = new Set<string>();
  const userIds = new Set<string>();
  for (const { command } of entries) {
    if (command.type === "CancelTicket") {
      if (!state.tickets.has(command.ticketId)) ticketIds.add(command.ticketId);
    } else if (buyers.excludes(command.userId)) state.activeTickets.set(command.userId, 0);
    else {
      if (!state.sales.has(command.transactionId)) purchases.set(command.transactionId, command);
      if (!state.activeTickets.has(command.userId)) userIds.add(command.userId);
    }
  }
  return purchases.size + ticketIds.size + userIds.size === 0
    ? undefined
    : { purchases: [...purchases.values()], ticketIds: [...ticketIds], userIds: [...userIds] };
}

/** Adds what was loaded to the state. What was looked up and not found becomes known as missing. */
export function absorb(state: EventState, needs: Needs, loaded: Loaded): void {
  for (const { transactionId, userId, quantity } of loaded.sales)
    state.sales.set(transactionId, { userId, quantity });
  for (const ticketId of needs.ticketIds) state.tickets.set(ticketId, "absent");
  for (const { ticketId, userId, cancelled } of loaded.tickets)
    state.tickets.set(ticketId, { userId, cancelled });
  for (const userId of needs.userIds) state.activeTickets.set(userId, 0);
  for (const { userId, count } of loaded.activeTickets) state.activeTickets.set(userId, count);
}

/**
 * Decides in order of arrival, each command on the result of those before it. The state is ahead of
 * PostgreSQL until the commit.
 */
export function decideBatch(
  state: EventState,
  entries: readonly Entry[],
  nowMs: number,
  limits: Limits,
  newTicketId: (nowMs: number) => string,
): DecidedBatch {
  const batch: DecidedBatch = { decided: [], sold: [], cancelled: [] };
  for (const entry of entries) {
    const decision = decide(state, entry.command, nowMs, limits);
    batch.decided.push({ entry, decision });
    if (decision.type !== "accept") continue;
    const { fact } = decision;
    evolve(state, fact);
    if (fact.type === "TicketsSold") {
      const ticketIds = Array.from({ length: fact.quantity }, () => newTicketId(nowMs));
      batch.sold.push({ transactionId: fact.transactionId, userId: fact.userId, ticketIds });
    } else
      batch.cancelled.push({
        transactionId: fact.transactionId,
        userId: fact.userId,
        ticketId: fact.ticketId,
      });
  }
  return batch;
}

/** Rows of tickets that a batch writes. */
export function rowsIn({ sold, cancelled }: Pick<DecidedBatch, "sold" | "cancelled">): number {
  return sold.reduce((sum, { ticketIds }) => sum + ticketIds.length, cancelled.length);
}

/** The answer to a sale committed just now. */
function purchaseOf(
  event: LoadedEvent,
  eventId: string,
  { transactionId, ticketIds }: SoldTickets,
  committedAtMs: number,
): Purchase {
  const purchasedAt = new Date(committedAtMs).toISOString();
  const { eventName, location, eventDate, status: eventStatus } = event;
  const tickets = ticketIds.map((id): Ticket => {
    return {
      id,
      eventId,
      eventName,
      location,
      eventDate,
      eventStatus,
      transactionId,
      status: "active",
      purchasedAt,
      cancelledAt: null,
    };
  });
  return {
    transactionId,
    status: "pending",
    eventId,
    quantity: ticketIds.length,
    tickets,
    replayed: false,
  };
}

/** What a batch leaves to sell, and what PostgreSQL answered to its commit. */
type Settled = {
  event: LoadedEvent;
  left: Availability;
  cancelledTickets: Ticket[];
  committedAtMs: number;
};

/**
 * Caches, answers and publishes a settled batch: committed, or all refused and replayed under an
 * epoch that was checked. All but a few answers are deferred. Never rejects: what was sold is
 * answered, even if its cache write or message fails.
 */
export async function settleBatch(
  ports: WorkerPorts,
  { decided, sold, cancelled }: DecidedBatch,
  turn: Promise<void> | undefined,
  { event, left, cancelledTickets, committedAtMs }: Settled,
): Promise<void> {
  const { eventId } = left;
  const purchases = sold.map((one) => purchaseOf(event, eventId, one, committedAtMs));
  const changes = { sold, purchases, cancelled, cancelledTickets, committedAtMs };
  const fault = (error: unknown): void => ports.note("fault", eventId, { error: String(error) });
  const changed = sold.length + cancelled.length > 0;
  try {
    if (changed) await ports.copies.write(left, changes);
  } catch (error) {
    fault(error);
  }
  const answered = answerBatch(ports, decided, turn, { eventId, ...changes }).catch(fault);
  await turn;
  try {
    const { epoch, batch } = left;
    if (changed) ports.publisher.publish({ eventId, epoch, batch });
  } catch (error) {
    fault(error);
  }
  await answered;
}

/**
 * Reads replays from PostgreSQL now: the ledger or a cancellation may have changed their status.
 */
async function answerBatch(
  { store, note }: Pick<WorkerPorts, "store" | "note">,
  decided: readonly DecidedEntry[],
  turn: Promise<void> | undefined,
  { eventId, purchases, cancelledTickets }: CommittedChanges & { eventId: string },
): Promise<void> {
  const sold = new Map(purchases.map((purchase) => [purchase.transactionId, purchase]));
  const freed = new Map(cancelledTickets.map((ticket) => [ticket.id, ticket]));
  const replays: Entry[] = [];
  for (const [index, { entry, decision }] of decided.entries()) {
    if (index === EAGER_REPLIES_MAX) await turn;
    if (decision.type === "refuse") entry.answer({ ok: false, refusal: decision.refusal });
    else if (decision.type === "replay") replays.push(entry);
    else {
      const done =
        entry.command.type === "BuyTickets"
          ? sold.get(entry.command.transactionId)
          : freed.get(entry.command.ticketId);
      entry.answer(done === undefined ? refused("OUTCOME_UNKNOWN") : accepted(done));
    }
  }
  if (replays.length === 0) return;
  try {
    await answerReplays(store, eventId, replays);
  } catch (error) {
    note("store-away", "", { error: String(error) });
    // It was sold, but what it is now cannot be read: TRY_AGAIN would promise that nothing was.
    for (const entry of replays) entry.answer(refused("OUTCOME_UNKNOWN"));
  }
}

async function answerReplays(
  store: WorkerPorts["store"],
  eventId: string,
  replays: readonly Entry[],
): Promise<void> {
  const asked = replays.flatMap(({ command }) => (command.type === "BuyTickets" ? [command] : []));
  const ticketIds = replays.flatMap(({ command }) =>
    command.type === "CancelTicket" ? [command.ticketId] : [],
  );
  const [purchases, tickets] = await Promise.all([
    asked.length > 0
      ? store.readPurchases(eventId, asked)
      : new Map<string, Omit<Purchase, "replayed">>(),
    ticketIds.length > 0 ? store.readTickets(ticketIds) : new Map<string, Ticket>(),
  ]);
  for (const entry of replays) {
    const { command } = entry;
    if (command.type === "CancelTicket") {
      const ticket = tickets.get(command.ticketId);
      entry.answer(ticket === undefined ? refused("OUTCOME_UNKNOWN") : accepted(ticket));
      continue;
    }
    const purchase = purchases.get(command.transactionId);
    entry.answer(
      purchase === undefined
        ? refused("OUTCOME_UNKNOWN")
        : accepted({ ...purchase, replayed: !entry.inDoubt }),
    );
  }
}

/**
 * Answers with another node's result of a forwarded command. Its TRY_AGAIN says nothing about our
 * own commit of unknown outcome.
 */
export function answerForwarded(entry: Entry, forwarded: Promise<Outcome>): void {
  forwarded.then(
    (outcome) => {
      const doubtful = entry.inDoubt && !outcome.ok && outcome.refusal.code === "TRY_AGAIN";
      entry.answer(doubtful ? refused("OUTCOME_UNKNOWN") : outcome);
    },
    () => entry.answer(refused("OUTCOME_UNKNOWN")),
  );
}

/** This many answers are written in less time than a batch takes to load. They are not deferred. */
const EAGER_REPLIES_MAX = 50;
/** Limits the wait for a batch that is slow to load or sells nothing. */
const WAIT_MAX_MS = 25;

/**
 * Defers answers under load: all but a few of a committed batch are written after the next batch
 * has been sent. PostgreSQL works on that batch while this thread writes hundreds of answers and
 * reads new requests. Otherwise the next load would lie unread for as long as that takes.
 */
export class NextBatch {
  private goOn: () => void = () => undefined;
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /**
   * Returns what this many answers wait for: undefined for few, else a promise that resolves at
   * `sent`, after WAIT_MAX_MS at the latest.
   */
  turnOf(answers: number): Promise<void> | undefined {
    if (answers < EAGER_REPLIES_MAX) return undefined;
    return new Promise((resolve) => {
      const timer = this.clock.after(WAIT_MAX_MS, resolve);
      this.goOn = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  sent(): void {
    this.goOn();
  }
}
