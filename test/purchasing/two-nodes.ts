import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import type { Answer } from "../../domain/refusal.ts";
import { createInternalTokenMint } from "../../lib/auth/jwt.ts";
import type { Purchase } from "../../services/purchasing/worker/ports.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { waitFor } from "../support/wait-for.ts";

/** Capacity, pending rows, active tickets and booked sum of an event. */
export const NUMBERS = `
  SELECT capacity,
    (SELECT count(*)::integer FROM event_ticket_transactions WHERE event_id = $1) AS pending,
    (SELECT count(*)::integer FROM event_tickets
      WHERE event_id = $1 AND cancelled_at IS NULL) AS tickets,
    (SELECT coalesce(sum(quantity), 0)::integer FROM capacity_ledger WHERE event_id = $1) AS booked
  FROM event WHERE id = $1`;

type Numbers = Record<"capacity" | "pending" | "tickets" | "booked", number>;

export type TwoNodes = {
  engine: Engine;
  /** Calls an action as a customer, on any node or on a named one. */
  call: <T>(action: string, params: object, userId: string, nodeID?: string) => Promise<Answer<T>>;
  buy: (
    eventId: string,
    userId: string,
    key: string,
    quantity?: number,
    nodeID?: string,
  ) => Promise<Answer<Purchase>>;
  /** Buys one ticket, and repeats a 503 with the same key, as the contract expects. */
  buyPatiently: (eventId: string, userId: string, key: string) => Promise<Answer<Purchase>>;
  numbers: (eventId: string) => Promise<Numbers>;
  /** Waits until the event's outbox is empty. */
  untilBooked: (eventId: string) => Promise<unknown>;
  /** Ids of the purchasing nodes that the caller sees. */
  sellers: () => string[];
};

const TRIES_MAX = 20;
const RETRY_AFTER_MS = 500;

/** Starts an engine, a second purchasing node, and a calling node without purchasing. */
export async function startTwoNodes(): Promise<TwoNodes> {
  const engine = await startEngine();
  await engine.startNode({ SERVICES: "purchasing" });
  const { broker } = await engine.startNode({ SERVICES: "auth" });
  const mint = createInternalTokenMint(engine.config.internalTokenSecret);

  const call: TwoNodes["call"] = (action, params, userId, nodeID) => {
    const meta = { token: mint({ userId, role: "customer" }) };
    return broker.call(action, params, nodeID === undefined ? { meta } : { meta, nodeID });
  };
  const numbers = async (eventId: string): Promise<Numbers> => {
    const [row] = await engine.database.query<Numbers>({ text: NUMBERS, values: [eventId] });
    return row ?? assert.fail("unknown event");
  };
  const sellers = (): string[] => {
    const actions = broker.registry.actions as unknown as {
      actions: Map<string, { endpoints: { id: string }[] }>;
    };
    return (actions.actions.get("purchasing.buy")?.endpoints ?? []).map(({ id }) => id);
  };
  const buy: TwoNodes["buy"] = (eventId, userId, key, quantity = 1, nodeID) =>
    call<Purchase>("purchasing.buy", { eventId, quantity, key }, userId, nodeID);
  const buyPatiently: TwoNodes["buyPatiently"] = async (eventId, userId, key) => {
    for (let tries = 1; ; tries += 1) {
      // A call to a node that is believed dead is rejected.
      const answer = await buy(eventId, userId, key).catch(() => undefined);
      const code = answer?.ok === false ? answer.refusal.code : undefined;
      const is503 = answer === undefined || code === "TRY_AGAIN" || code === "OUTCOME_UNKNOWN";
      if (!is503) return answer;
      assert.ok(tries < TRIES_MAX, "still no answer after all tries");
      await wait(RETRY_AFTER_MS);
    }
  };
  await waitFor(() => sellers().length === 2);
  return {
    engine,
    call,
    buy,
    buyPatiently,
    numbers,
    untilBooked: (eventId) =>
      waitFor(async () => (await numbers(eventId)).pending === 0, {
        withinMs: 15_000,
        what: "an empty outbox",
      }),
    sellers,
  };
}

/** The purchases among the answers. */
export const sold = (answers: Answer<Purchase>[]): Purchase[] =>
  answers.flatMap((answer) => (answer.ok ? [answer.value] : []));

/** The different refusal codes among the answers, and "ok". */
export const codes = (answers: Answer<unknown>[]): string[] =>
  [...new Set(answers.map((answer) => (answer.ok ? "ok" : answer.refusal.code)))].sort();
