// A waiting command gets an answer in time, and one that is certainly true.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { answerTimedOut, Mailbox } from "../../services/purchasing/worker/mailbox.ts";
import type { Outcome } from "../../services/purchasing/worker/ports.ts";

const COMMAND = { type: "BuyTickets", transactionId: "t", userId: "u", quantity: 1 } as const;

/** A clock whose timers fire when the test says so, at any delay. */
function manualClock() {
  let nowMs = 0;
  let due: { atMs: number; task: () => void }[] = [];
  return {
    nowMs: () => nowMs,
    after(delayMs: number, task: () => void) {
      due.push({ atMs: nowMs + delayMs, task });
      return { cancel: () => undefined };
    },
    /** Advances the time in one step, as on a busy node: due timers fire at the end. */
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
    const enqueue = (): void =>
      void mailbox.put(COMMAND, false).then((outcome) => answers.push(outcome));
    return { clock, mailbox, answers, enqueue: enqueue };
  };

  it("answers TRY_AGAIN to a command that waited 0.5 s without a decision", async () => {
    const { clock, answers, enqueue: enqueue, mailbox } = setUp();
    enqueue();
    for (let ms = 0; ms < 450; ms += 50) await clock.pass(50);
    assert.equal(answers.length, 0);
    await clock.pass(50);
    assert.equal(codeOf(answers[0]), "TRY_AGAIN");
    assert.deepEqual([mailbox.length, mailbox.quiet], [0, true]);
  });

  it("does not count time in which its own node was busy, up to 0.9 s", async () => {
    const { clock, answers, enqueue: enqueue } = setUp();
    enqueue();
    await clock.pass(700);
    assert.equal(answers.length, 0);
    await clock.pass(50);
    await clock.pass(100);
    assert.equal(answers.length, 0);
    await clock.pass(50);
    assert.equal(codeOf(answers[0]), "TRY_AGAIN");
  });

  it("answers OUTCOME_UNKNOWN after 2 s to a command that may have sold", async () => {
    const { clock, mailbox, answers, enqueue: enqueue } = setUp();
    enqueue();
    const [entry] = mailbox.take(1);
    assert.ok(entry);
    entry.sentAtMs = clock.nowMs();
    for (let ms = 0; ms < 1_950; ms += 50) await clock.pass(50);
    assert.equal(answers.length, 0);
    await clock.pass(50);
    assert.equal(codeOf(answers[0]), "OUTCOME_UNKNOWN");
  });

  it("refuses commands at its limit immediately", async () => {
    const { clock, answers, enqueue: enqueue } = setUp(2);
    enqueue();
    enqueue();
    enqueue();
    await clock.pass(0);
    assert.deepEqual(answers.map(codeOf), ["TRY_AGAIN"]);
  });

  it("takes the oldest first, requeues a batch in front, and drops answered commands", () => {
    const { mailbox, enqueue: enqueue } = setUp();
    enqueue();
    enqueue();
    enqueue();
    const batch = mailbox.take(2);
    assert.deepEqual([batch.length, mailbox.length], [2, 1]);
    if (batch[0] !== undefined) answerTimedOut(batch[0]);
    mailbox.putBack(batch);
    assert.deepEqual([mailbox.length, mailbox.take(1)[0] === batch[1]], [2, true]);
  });
});
