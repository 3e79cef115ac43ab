import { setTimeout as delay } from "node:timers/promises";
import type { Answer } from "../../../domain/refusal.ts";
import type { Command } from "../../../domain/event-state.ts";
import { createInternalTokenMint } from "../../../lib/auth/jwt.ts";
import type { FaultContext } from "../fault.ts";
import type { Entry } from "../load/journal.ts";

/** Status that the gateway would answer with. */
const STATUS: Record<string, number> = { TRY_AGAIN: 503, OUTCOME_UNKNOWN: 503 };
const TRIES = 30;
const AGAIN_PAUSE_MS = 100;

/** Which node serves the command, and for which event and user. */
export type At = { node: string; event: string; user: string };
type Value = { id?: string; transactionId: string; tickets?: { id: string }[] };

/**
 * Buys at a chosen node, as if another node had forwarded the command. Writes it into the journal.
 */
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

/** Cancels at a chosen node. */
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

/** Repeats a command while it is answered TRY_AGAIN, for at most three seconds. */
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
