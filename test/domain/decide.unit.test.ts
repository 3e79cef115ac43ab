// The rules of a sale, without a clock, a server or a network.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decide, evolve, forgetOldest } from "../../domain/decide.ts";
import {
  type Command,
  type Decision,
  type EventState,
  newEventState,
} from "../../domain/event-state.ts";

const STARTS_AT_MS = 1_000;
const LIMITS = { ticketsPerCustomerMax: 4 };

function stateOf(
  available: number,
  active: Record<string, number> = { anna: 0, ben: 0 },
): EventState {
  const state = newEventState(STARTS_AT_MS, available);
  for (const [userId, count] of Object.entries(active)) state.activeTickets.set(userId, count);
  return state;
}
function buy(transactionId: string, quantity: number, userId = "anna"): Command {
  return { type: "BuyTickets", transactionId, userId, quantity };
}
function cancel(ticketId: string, userId = "anna"): Command {
  return { type: "CancelTicket", transactionId: `cancel-${ticketId}`, userId, ticketId };
}
function word(decision: Decision): string {
  return decision.type === "refuse" ? decision.refusal.code : decision.type;
}

describe("decide", () => {
  it("sells down to the last place", () => {
    assert.equal(word(decide(stateOf(2), buy("t", 2), 0, LIMITS)), "accept");
    assert.deepEqual(decide(stateOf(1), buy("t", 2), 0, LIMITS), {
      type: "refuse",
      refusal: { code: "EVENT_SOLD_OUT", data: { available: 1 } },
    });
  });

  it("reports zero left, never a negative number", () => {
    assert.deepEqual(decide(stateOf(-3), buy("t", 1), 0, LIMITS), {
      type: "refuse",
      refusal: { code: "EVENT_SOLD_OUT", data: { available: 0 } },
    });
  });

  it("sells until the event starts", () => {
    assert.equal(word(decide(stateOf(9), buy("t", 1), STARTS_AT_MS - 1, LIMITS)), "accept");
    assert.equal(word(decide(stateOf(9), buy("t", 1), STARTS_AT_MS, LIMITS)), "EVENT_OVER");
  });

  it("checks in the order of the contract: replay, key, status, over, limit, sold out", () => {
    const state = stateOf(0, { anna: 4 });
    state.sales.set("earlier", { userId: "anna", quantity: 2 });
    assert.equal(word(decide(state, buy("earlier", 2), STARTS_AT_MS, LIMITS)), "replay");
    assert.equal(
      word(decide(state, buy("earlier", 1), STARTS_AT_MS, LIMITS)),
      "IDEMPOTENCY_KEY_REUSED",
    );
    for (const status of ["cancelled", "postponed"] as const) {
      const stopped = { ...state, status };
      const refusal = `EVENT_${status.toUpperCase()}`;
      assert.equal(word(decide(stopped, buy("earlier", 2), STARTS_AT_MS, LIMITS)), "replay");
      assert.equal(word(decide(stopped, buy("earlier", 1), 0, LIMITS)), "IDEMPOTENCY_KEY_REUSED");
      assert.equal(word(decide(stopped, buy("new", 1), STARTS_AT_MS, LIMITS)), refusal);
      assert.equal(word(decide(stopped, buy("new", 1, "ben"), 0, LIMITS)), refusal);
    }
    assert.equal(word(decide(state, buy("new", 1), STARTS_AT_MS, LIMITS)), "EVENT_OVER");
    assert.equal(word(decide(state, buy("new", 1), 0, LIMITS)), "PURCHASE_LIMIT_REACHED");
    assert.equal(word(decide(stateOf(0), buy("new", 1), 0, LIMITS)), "EVENT_SOLD_OUT");
  });

  it("cancels a ticket once, for its owner, before the start", () => {
    const state = stateOf(0);
    state.tickets.set("mine", { userId: "anna", cancelled: false });
    state.tickets.set("gone", { userId: "anna", cancelled: true });
    state.tickets.set("none", "absent");
    assert.equal(word(decide(state, cancel("mine"), 0, LIMITS)), "accept");
    assert.equal(word(decide(state, cancel("mine", "ben"), 0, LIMITS)), "TICKET_NOT_FOUND");
    assert.equal(word(decide(state, cancel("none"), 0, LIMITS)), "TICKET_NOT_FOUND");
    assert.equal(word(decide(state, cancel("mine"), STARTS_AT_MS, LIMITS)), "EVENT_OVER");
    assert.equal(word(decide(state, cancel("gone"), STARTS_AT_MS, LIMITS)), "replay");
    const off = { ...state, status: "cancelled" as const };
    assert.equal(word(decide(off, cancel("mine"), 0, LIMITS)), "accept");
  });

  it("throws if the state it needs was not loaded", () => {
    assert.throws(() => decide(stateOf(9, {}), buy("t", 1), 0, LIMITS), /not loaded/);
    assert.throws(() => decide(stateOf(9), cancel("unknown"), 0, LIMITS), /not loaded/);
  });

  it("never oversells, exceeds no limit and replays sales, for any commands", () => {
    const command = fc.record({
      user: fc.constantFrom("anna", "ben", "cem"),
      key: fc.nat(5),
      quantity: fc.integer({ min: 1, max: 4 }),
      cancels: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.nat(12), fc.array(command, { maxLength: 60 }), (total, commands) => {
        const state = stateOf(total, { anna: 0, ben: 0, cem: 0 });
        const held = new Map<string, string[]>();
        for (const { user, key, quantity, cancels } of commands) {
          const tickets = held.get(user) ?? [];
          held.set(user, tickets);
          const ticketId = tickets.at(-1);
          const wanted =
            cancels && ticketId !== undefined
              ? cancel(ticketId, user)
              : buy(`${user}-${key}`, quantity, user);
          const decision = decide(state, wanted, 0, LIMITS);
          if (decision.type !== "accept") continue;
          evolve(state, decision.fact);
          if (decision.fact.type === "TicketCancelled") tickets.pop();
          else
            for (let ordinal = 0; ordinal < quantity; ordinal++) {
              const id = `${decision.fact.transactionId}-${ordinal}`;
              tickets.push(id);
              state.tickets.set(id, { userId: user, cancelled: false });
            }
          assert.notEqual(
            word(decide(state, wanted, 0, LIMITS)),
            "accept",
            "the same command changes nothing twice",
          );
          const active = [...held.values()].flat().length;
          assert.equal(state.available, total - active);
          assert.ok(active <= total && tickets.length <= LIMITS.ticketsPerCustomerMax);
          assert.equal(state.activeTickets.get(user), tickets.length);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("forgets the oldest first", () => {
    const state = stateOf(9, { anna: 1, ben: 2, cem: 3 });
    forgetOldest(state, 2);
    assert.deepEqual([...state.activeTickets.keys()], ["ben", "cem"]);
  });
});
