// What commands get that no batch decides any more, with a store that answers as told.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Command } from "../../domain/event-state.ts";
import { systemClock } from "../../lib/concurrency/clock.ts";
import { Mailbox } from "../../services/purchasing/worker/mailbox.ts";
import type { EventStore, Loaded } from "../../services/purchasing/worker/ports.ts";
import { Undecided } from "../../services/purchasing/worker/undecided.ts";
import { EVENT_ID, wordOf } from "../support/fixtures/one-node.ts";

const command: Command = { type: "BuyTickets", transactionId: "a key", userId: "one", quantity: 1 };
const NONE_SOLD: Awaited<ReturnType<EventStore["readPurchases"]>> = new Map();
const rowOf = (epoch: number): Loaded => {
  return { epoch, batch: 0, clockMs: 0, sales: [], tickets: [], activeTickets: [] };
};

/** Submits a command to a mailbox without room, whose worker knows this. */
async function answerOf(
  readPurchases: EventStore["readPurchases"],
  epoch: () => number | undefined,
  storeAway = false,
): Promise<string> {
  const store = { readPurchases, load: () => Promise.resolve(rowOf(2)) };
  const undecided = new Undecided(
    EVENT_ID,
    { clock: systemClock, store },
    { epoch, mayBeSelling: () => false, storeAway: () => storeAway },
  );
  const mailbox = new Mailbox(systemClock, 0, (entries) => undecided.answer(entries));
  return wordOf(await mailbox.put(command, false));
}

describe("undecided commands", () => {
  it("get TRY_AGAIN if this node held the epoch before and after the reading", async () => {
    const answer = await answerOf(
      () => Promise.resolve(NONE_SOLD),
      () => 2,
    );
    assert.equal(answer, "TRY_AGAIN");
  });

  it("get OUTCOME_UNKNOWN if the epoch was taken during the reading", async () => {
    let epoch: number | undefined;
    const answer = await answerOf(
      () => {
        // The owner before sold the key after PostgreSQL has read.
        epoch = 2;
        return Promise.resolve(NONE_SOLD);
      },
      () => epoch,
    );
    assert.equal(answer, "OUTCOME_UNKNOWN");
  });

  it("get their answer without a reading while PostgreSQL is away", async () => {
    const answer = await answerOf(
      () => assert.fail("PostgreSQL was asked"),
      () => undefined,
      true,
    );
    assert.equal(answer, "OUTCOME_UNKNOWN");
  });
});
