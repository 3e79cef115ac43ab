// Who waits for a worker hears something in time, and never more than is true.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { answerTimedOut, Mailbox } from "../../services/purchasing/worker/mailbox.ts";
import type { Outcome } from "../../services/purchasing/worker/ports.ts";

const COMMAND = { type: "BuyTickets", transactionId: "t", userId: "u", quantity: 1 } as const;

/** A clock whose timers fire when the test says so, however late. */
function manualClock() {
  let nowMs = 0;
  let due: { atMs: number; task: () => void }[] = [];
  return {
    nowMs: () => nowMs,
    after(delayMs: number, task: () => void) {
      due.push({ atMs: nowMs + delayMs, task });
      return { cancel: () => undefined };
    },
    /** Time passes at once, as when the node is busy: what was due in between fires at its end. */
    async pass(ms: number) {
      nowMs += ms;
      const ripe = due.filter(({ atMs }) => atMs <= nowMs);
      due = due.filter(({ atMs }) => atMs > nowMs);
      for (const { task } of ripe) task();
      await new Promise(setImmediate);
    },
  };
}

function codeOf(answer: Outcome | undefined): string | undefined {
  return answer === undefined || answer.ok ? undefined : answer.refusal.code;
}

describe("the mailbox", () => {
  const setUp = (max = 10) => {
    const clock = manualClock();
    const mailbox = new Mailbox(clock, max);
    const answers: Outcome[] = [];
    const put = (): void =>
      void mailbox.put(COMMAND, false).then((outcome) => answers.push(outcome));
    return { clock, mailbox, answers, put };
  };

  it("says TRY_AGAIN to what waited half a second undecided", async () => {
    const { clock, answers, put, mailbox } = setUp();
    put();
    for (let ms = 0; ms < 450; ms += 50) await clock.pass(50);
    assert.equal(answers.length, 0);
    await clock.pass(50);
    assert.equal(codeOf(answers[0]), "TRY_AGAIN");
    assert.deepEqual([mailbox.length, mailbox.quiet], [0, true]);
  });

  it("does not count the time in which its own node was too busy to hear an answer, up to 0.9 s", async () => {
    const { clock, answers, put } = setUp();
    put();
    await clock.pass(700);
    assert.equal(answers.length, 0);
    await clock.pass(50);
    await clock.pass(100);
    assert.equal(answers.length, 0);
    await clock.pass(50);
    assert.equal(codeOf(answers[0]), "TRY_AGAIN");
  });

  it("says OUTCOME_UNKNOWN, after two seconds, to what may have been sold", async () => {
    const { clock, mailbox, answers, put } = setUp();
    put();
    const [entry] = mailbox.take(1);
    assert.ok(entry);
    entry.sentAtMs = clock.nowMs();
    for (let ms = 0; ms < 1_950; ms += 50) await clock.pass(50);
    assert.equal(answers.length, 0);
    await clock.pass(50);
    assert.equal(codeOf(answers[0]), "OUTCOME_UNKNOWN");
  });

  it("is full at its limit, and says so at once", async () => {
    const { clock, answers, put } = setUp(2);
    put();
    put();
    put();
    await clock.pass(0);
    assert.deepEqual(answers.map(codeOf), ["TRY_AGAIN"]);
  });

  it("takes the oldest first, puts a batch back in front, and drops who has been answered", () => {
    const { mailbox, put } = setUp();
    put();
    put();
    put();
    const batch = mailbox.take(2);
    assert.deepEqual([batch.length, mailbox.length], [2, 1]);
    if (batch[0] !== undefined) answerTimedOut(batch[0]);
    mailbox.putBack(batch);
    assert.deepEqual([mailbox.length, mailbox.take(1)[0] === batch[1]], [2, true]);
  });
});
