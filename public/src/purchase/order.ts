import { answerOf, api } from "../api/client.ts";
import { asProblem, Problem } from "../api/problem.ts";
import type { Purchase as Sold } from "../api/types.ts";
import { type Store, createStore } from "../session/store.ts";
import { type Attempt, readAttempt, writeAttempt } from "./pending-order.ts";
import {
  type PurchaseState,
  type UnderWay,
  afterProblem,
  isUnderWay,
  resumed,
} from "./order-state.ts";

export type Purchase = {
  state: Store<PurchaseState>;
  /** Orders, unless an order is under way: a double click is one. */
  buy: (quantity: number) => void;
  /** Goes on with an order that has paused. */
  goOn: () => void;
  /** Lets go of an order that has paused. */
  forget: () => void;
};

/** One person's buying of one event, on this page: asks under one key until it is known what became of it. */
export function createPurchase(userId: string, eventId: string): Purchase {
  const state = createStore(resumed(readAttempt(userId, eventId), Date.now()));
  /** Only one tab asks at a time; another one that waited finds in the storage whether the order is still open. */
  const pursue = async (order: UnderWay): Promise<void> => {
    state.set({ is: "asking", ...order });
    await navigator.locks.request(`boxoffice.purchase.${userId}.${eventId}`, async () => {
      if (readAttempt(userId, eventId)?.key !== order.attempt.key) state.set({ is: "idle" });
      else await askUntilKnown(state, eventId, order);
    });
    const ended = state.get();
    if (!isUnderWay(ended)) writeAttempt(userId, eventId, undefined);
  };
  const first = state.get();
  if (first.is === "asking") void pursue(first);
  return {
    state,
    buy(quantity) {
      if (isUnderWay(state.get())) return;
      // Another tab may have an order open: that one goes on, rather than a second beside it.
      const attempt = readAttempt(userId, eventId) ?? {
        key: crypto.randomUUID(),
        quantity,
        sinceMs: Date.now(),
      };
      writeAttempt(userId, eventId, attempt);
      void pursue({ attempt, tries: 0, inDoubt: false });
    },
    goOn() {
      const now = state.get();
      if (now.is === "paused")
        void pursue({ attempt: now.attempt, tries: 0, inDoubt: now.inDoubt });
    },
    forget() {
      if (state.get().is !== "paused") return;
      writeAttempt(userId, eventId, undefined);
      state.set({ is: "idle" });
    },
  };
}

async function askUntilKnown(
  state: Store<PurchaseState>,
  eventId: string,
  first: UnderWay,
): Promise<void> {
  let order = first;
  for (;;) {
    state.set({ is: "asking", ...order });
    const answer = await askOnce(eventId, order.attempt);
    const next: PurchaseState =
      answer instanceof Problem
        ? afterProblem(order, answer, Math.random())
        : { is: "bought", purchase: answer };
    state.set(next);
    if (next.is !== "waiting") return;
    await pause(next.waitMs);
    order = { attempt: next.attempt, tries: next.tries, inDoubt: next.inDoubt };
  }
}

async function askOnce(eventId: string, { key, quantity }: Attempt): Promise<Sold | Problem> {
  const params = { path: { eventId }, header: { "Idempotency-Key": key } };
  return answerOf(() =>
    api.POST("/api/events/{eventId}/tickets", { params, body: { quantity } }),
  ).catch(asProblem);
}

/** So long, and then until there is a network again, which nothing else could reach the engine without. */
async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  if (!navigator.onLine)
    await new Promise((resolve) => addEventListener("online", resolve, { once: true }));
}
