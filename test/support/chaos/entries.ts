import type { Entry } from "../../../tools/chaos/load/journal.ts";

/** A purchase of two tickets that was answered 201, with changes. */
export function entry(more: Partial<Entry>): Entry {
  return {
    op: "buy",
    user: "ada",
    event: "concert",
    key: "k1",
    quantity: 2,
    transaction: "t1",
    via: "api-1",
    started: 0,
    ended: 10,
    outcome: "ok",
    status: 201,
    code: undefined,
    answeredTransaction: "t1",
    tickets: ["a", "b"],
    ...more,
  };
}

/** A purchase without an answer. */
export const LOST: Partial<Entry> = {
  outcome: "unknown",
  status: undefined,
  code: "ECONNRESET",
  answeredTransaction: undefined,
  tickets: [],
};
export const SOLD_OUT: Partial<Entry> = {
  outcome: "refused",
  status: 409,
  code: "EVENT_SOLD_OUT",
  answeredTransaction: undefined,
  tickets: [],
};
