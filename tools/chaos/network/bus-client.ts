import { setTimeout as delay } from "node:timers/promises";
import type { Answer } from "../../../domain/refusal.ts";
import type { Command } from "../../../domain/event-state.ts";
import { createInternalTokenMint } from "../../../lib/auth/internal-token.ts";
import type { FaultContext } from "../fault.ts";
import type { Entry } from "../load/journal.ts";

/** Answers on the bus as the gateway would put them. */
const STATUS: Record<string, number> = { TRY_AGAIN: 503, OUTCOME_UNKNOWN: 503 };
const TRIES = 30;
const AGAIN_PAUSE_MS = 100;

/** Who is to serve it, whoever owns the event, and for whom. */
export type At = { node: string; event: string; user: string };
type Value = { id?: string; transactionId: string; tickets?: { id: string }[] };

/** A purchase that one chosen node has to serve, as if another node had passed it on. Noted in the journal like any other. */
export function buyAt(
  context: FaultContext,
  at: At,
  quantity: number,
  key: string,
): Promise<Entry> {
  const { event, user } = at;
  const transaction = context.world.purchaseId(user, event, key);
  return serve(
    context,
    at,
    { op: "buy", event, user, key, quantity, transaction },
    { type: "BuyTickets", quantity },
  );
}

/** The same for a cancellation. */
export function cancelAt(context: FaultContext, at: At, ticket: string): Promise<Entry> {
  const { event, user } = at;
  const transaction = context.world.cancellationId(ticket);
  return serve(
    context,
    at,
    { op: "cancel", event, user, key: ticket, quantity: 0, transaction },
    { type: "CancelTicket", ticketId: ticket },
  );
}

/** Asks again while it is told to; three seconds at most. */
export async function insisted(ask: () => Promise<Entry>): Promise<Entry> {
  for (let attempt = 1; ; attempt += 1) {
    const entry = await ask();
    if ((entry.outcome !== "unknown" && entry.code !== "TRY_AGAIN") || attempt === TRIES)
      return entry;
    await delay(AGAIN_PAUSE_MS);
  }
}

async function serve(
  { world, market }: FaultContext,
  { node, event, user }: At,
  asked: Pick<Entry, "op" | "user" | "event" | "key" | "quantity" | "transaction">,
  what: Pick<Command, "type"> & Partial<Command>,
): Promise<Entry> {
  const started = performance.now();
  const note = (
    rest: Pick<Entry, "outcome" | "status" | "code" | "answeredTransaction" | "tickets">,
  ): Entry => {
    const entry: Entry = { ...asked, via: node, started, ended: performance.now(), ...rest };
    market.journal.add(entry);
    return entry;
  };
  try {
    const broker = await world.bus();
    const command = { ...what, transactionId: asked.transaction, userId: user };
    const meta = {
      token: createInternalTokenMint(world.config.internalTokenSecret)({
        userId: user,
        role: "customer",
      }),
    };
    const answer = await broker.call<Answer<Value>, object>(
      "purchasing.serve",
      { eventId: event, command },
      { nodeID: node, meta, timeout: 4_000 },
    );
    if (!answer.ok) {
      const { code } = answer.refusal;
      const outcome = code === "OUTCOME_UNKNOWN" ? "unknown" : "refused";
      return note({
        outcome,
        status: STATUS[code] ?? 409,
        code,
        answeredTransaction: undefined,
        tickets: [],
      });
    }
    const { id = "", tickets = [{ id }], transactionId } = answer.value;
    return note({
      outcome: "ok",
      status: asked.op === "buy" ? 201 : 200,
      code: undefined,
      answeredTransaction: transactionId,
      tickets: tickets.map((ticket) => ticket.id),
    });
  } catch (error) {
    const code = (error as { type?: string }).type ?? String(error);
    return note({
      outcome: "unknown",
      status: undefined,
      code,
      answeredTransaction: undefined,
      tickets: [],
    });
  }
}
