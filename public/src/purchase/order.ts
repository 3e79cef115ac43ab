import { answerOf, api } from "../api/client.ts";
import { asProblem, Problem } from "../api/problem.ts";
import type { Purchase as Sold } from "../api/types.ts";
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
  /** One tab sends at a time. A tab that waited reads from storage if the order is still open. */
  const pursue = async (order: OrderUnderWay): Promise<void> => {
    state.set({ is: "sending", ...order });
    await navigator.locks.request(`boxoffice.purchase.${userId}.${eventId}`, async () => {
      const stored = readPendingOrder(userId, eventId);
      if (stored?.key !== order.pending.key) state.set({ is: "idle" });
      else await sendUntilKnown(state, eventId, order);
    });
    if (!isUnderWay(state.get())) writePendingOrder(userId, eventId, undefined);
  };
  const first = state.get();
  if (first.is === "sending") void pursue(first);
  return {
    state,
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
    state.set(next);
    if (next.is !== "waiting") return;
    await pause(next.waitMs);
    const { pending, tries, outcomeUnknown } = next;
    order = { pending, tries, outcomeUnknown };
  }
}

async function sendOnce(eventId: string, { key, quantity }: PendingOrder): Promise<Sold | Problem> {
  const params = { path: { eventId }, header: { "Idempotency-Key": key } };
  return answerOf(() =>
    api.POST("/api/events/{eventId}/tickets", { params, body: { quantity } }),
  ).catch(asProblem);
}
