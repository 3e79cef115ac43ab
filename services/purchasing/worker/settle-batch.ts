import { accepted, refused } from "../../../domain/refusal.ts";
import type { DecidedBatch, DecidedEntry } from "./decide-batch.ts";
import { type Entry, answerTimedOut } from "./mailbox.ts";
import { EAGER_REPLIES_MAX } from "./deferred-replies.ts";
import type { CommittedBatch, Outcome, Purchase, Ticket, WorkerPorts } from "./ports.ts";

/**
 * Caches, answers and publishes a settled batch: committed, or all refused and replayed under an
 * epoch that was checked. All but a few answers are deferred. Never rejects: what was sold is
 * answered, even if its cache write or message fails.
 */
export async function settleBatch(
  ports: WorkerPorts,
  { decided, sold, cancelled }: DecidedBatch,
  turn: Promise<void> | undefined,
  committed: CommittedBatch,
): Promise<void> {
  const fault = (error: unknown): void =>
    ports.note("fault", committed.left.eventId, { error: String(error) });
  const transactionIds = [...sold, ...cancelled].map(({ transactionId }) => transactionId);
  try {
    if (transactionIds.length > 0) await ports.copies.write(committed.left);
  } catch (error) {
    fault(error);
  }
  const answered = answerBatch(ports, decided, turn, committed).catch(fault);
  await turn;
  try {
    if (transactionIds.length > 0) ports.publisher.publish(committed.left.eventId, transactionIds);
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
  { left: { eventId }, sold: purchases, cancelled }: CommittedBatch,
): Promise<void> {
  const sold = new Map(purchases.map((purchase) => [purchase.transactionId, purchase]));
  const freed = new Map(cancelled.map((ticket) => [ticket.id, ticket]));
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
      if (done === undefined) answerTimedOut(entry);
      else entry.answer(accepted(done));
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
        : accepted({ ...purchase, replayed: !entry.outcomeUnknown }),
    );
  }
}

/**
 * Answers with another node's result of a forwarded command. Its TRY_AGAIN says nothing about our
 * commit of unknown outcome.
 */
export function answerInDoubt(entry: Entry, outcome: Outcome): void {
  if (entry.outcomeUnknown && !outcome.ok && outcome.refusal.code === "TRY_AGAIN")
    entry.answer(refused("OUTCOME_UNKNOWN"));
  else entry.answer(outcome);
}
