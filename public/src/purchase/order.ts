import { answerOf, api } from "../api/client.ts";
import { asProblem, Problem } from "../api/problem.ts";
import type { Purchase as Sold, Ticket } from "../api/types.ts";
import { pause } from "../session/pause.ts";
import { type Store, createStore } from "../session/store.ts";
import {
  type OrderState,
  type OrderUnderWay,
  afterProblem,
  isUnderWay,
  resumed,
} from "./order-state.ts";
import { type PendingOrder, readPendingOrder, writePendingOrder } from "./pending-order.ts";

export type Purchase = {
  state: Store<OrderState>;
  /** Bought during this visit: the latest order first, each as the list of tickets sorts it. */
  tickets: Store<readonly Ticket[]>;
  /** Sends an order, unless one is under way: a double click is one order. */
  buy: (quantity: number) => void;
  /** Continues a paused order. */
  resume: () => void;
  /** Drops a paused order. */
  drop: () => void;
};

/** Buys tickets of one event for one user. Retries under one key until the outcome is known. */
export function createPurchase(userId: string, eventId: string): Purchase {
  const state = createStore(resumed(readPendingOrder(userId, eventId), Date.now()));
  const tickets = createStore<readonly Ticket[]>([]);
  /** One tab sends at a time. A tab that waited reads from storage if the order is still open. */
  const pursue = async (order: OrderUnderWay): Promise<void> => {
    state.set({ is: "sending", ...order });
    await navigator.locks.request(`boxoffice.purchase.${userId}.${eventId}`, async () => {
      const stored = readPendingOrder(userId, eventId);
      if (stored?.key !== order.pending.key) state.set({ is: "idle" });
      else await sendUntilKnown(state, tickets, eventId, order);
    });
    if (!isUnderWay(state.get())) writePendingOrder(userId, eventId, undefined);
  };
  const first = state.get();
  if (first.is === "sending") void pursue(first);
  return {
    state,
    tickets,
    buy(quantity) {
      if (isUnderWay(state.get())) return;
      // Another tab may have an open order: continue it instead of a second one.
      const pending = readPendingOrder(userId, eventId) ?? {
        key: crypto.randomUUID(),
        quantity,
        sinceMs: Date.now(),
      };
      writePendingOrder(userId, eventId, pending);
      void pursue({ pending, tries: 0, outcomeUnknown: false });
    },
    resume() {
      const order = state.get();
      if (order.is !== "paused") return;
      const { pending, outcomeUnknown } = order;
      void pursue({ pending, tries: 0, outcomeUnknown });
    },
    drop() {
      if (state.get().is !== "paused") return;
      writePendingOrder(userId, eventId, undefined);
      state.set({ is: "idle" });
    },
  };
}

async function sendUntilKnown(
  state: Store<OrderState>,
  tickets: Store<readonly Ticket[]>,
  eventId: string,
  first: OrderUnderWay,
): Promise<void> {
  let order = first;
  for (;;) {
    state.set({ is: "sending", ...order });
    const answer = await sendOnce(eventId, order.pending);
    const next: OrderState =
      answer instanceof Problem
        ? afterProblem(order, answer, Math.random())
        : { is: "bought", purchase: answer };
    if (next.is === "bought") tickets.set([...inOrder(next.purchase.tickets), ...tickets.get()]);
    state.set(next);
    if (next.is !== "waiting") return;
    await pause(next.waitMs);
    const { pending, tries, outcomeUnknown } = next;
    order = { pending, tries, outcomeUnknown };
  }
}

function inOrder(tickets: readonly Ticket[]): Ticket[] {
  return [...tickets].sort((one, other) => (one.id < other.id ? -1 : 1));
}

async function sendOnce(eventId: string, { key, quantity }: PendingOrder): Promise<Sold | Problem> {
  const params = { path: { eventId }, header: { "Idempotency-Key": key } };
  return answerOf(() =>
    api.POST("/api/events/{eventId}/tickets", { params, body: { quantity } }),
  ).catch(asProblem);
}
