import { createInternalTokenMint } from "../../mixins/internal-token.ts";
import type { Answer } from "../../domain/refusal.ts";
import type { FaultContext } from "./fault.ts";
import type { Entry } from "./journal.ts";

/** Answers on the bus as the gateway would put them. */
const STATUS: Record<string, number> = { TRY_AGAIN: 503, OUTCOME_UNKNOWN: 503 };

/**
 * A purchase that one chosen node has to serve, whoever owns the event, as if another node had passed it on. Noted in the journal like any other.
 */
export async function buyAt(context: FaultContext, node: string, user: string, quantity: number, key: string): Promise<Entry> {
  const { world, market, hot } = context;
  const transaction = world.purchaseId(user, hot, key);
  const started = performance.now();
  const note = (rest: Pick<Entry, "outcome" | "status" | "code" | "answeredTransaction" | "tickets">): Entry => {
    const entry: Entry = {
      ...{ op: "buy", user, event: hot, key, quantity, transaction, via: node, started, ended: performance.now() },
      ...rest,
    };
    market.journal.add(entry);
    return entry;
  };
  try {
    const broker = await world.bus();
    const command = { type: "BuyTickets", transactionId: transaction, userId: user, quantity };
    const meta = { token: createInternalTokenMint(world.config.internalTokenSecret)({ userId: user, role: "customer" }) };
    const answer = await broker.call<Answer<{ transactionId: string; tickets: { id: string }[] }>, object>(
      "purchasing.serve",
      { eventId: hot, command },
      { nodeID: node, meta, timeout: 4_000 },
    );
    if (!answer.ok) {
      const { code } = answer.refusal;
      const outcome = code === "OUTCOME_UNKNOWN" ? "unknown" : "refused";
      return note({ outcome, status: STATUS[code] ?? 409, code, answeredTransaction: undefined, tickets: [] });
    }
    const tickets = answer.value.tickets.map(({ id }) => id);
    return note({ outcome: "ok", status: 201, code: undefined, answeredTransaction: answer.value.transactionId, tickets });
  } catch (error) {
    const code = (error as { type?: string }).type ?? String(error);
    return note({ outcome: "unknown", status: undefined, code, answeredTransaction: undefined, tickets: [] });
  }
}
