// A waiting command gets an answer in time, and one that is certainly true.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { refused } from "../../domain/refusal.ts";
import { type Entry, Mailbox } from "../../services/purchasing/worker/mailbox.ts";
import type { Outcome } from "../../services/purchasing/worker/ports.ts";

const command = (transactionId: string, quantity = 1) =>
  ({ type: "BuyTickets", transactionId, userId: "u", quantity }) as const;

/** As a worker answers what it knows to be unsold. */
const giveUp = (entries: readonly Entry[]): void => {
  for (const entry of entries)
    entry.answer(refused(entry.sentAtMs === undefined ? "TRY_AGAIN" : "OUTCOME_UNKNOWN"));
};

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
    const mailbox = new Mailbox(clock, max, giveUp);
    const answers: Outcome[] = [];
    let keys = 0;
    const enqueue = (key = `key-${++keys}`, quantity = 1): void =>
      void mailbox.put(command(key, quantity), false).then((outcome) => answers.push(outcome));
    return { clock, mailbox, answers, enqueue };
  };

  it("answers TRY_AGAIN to a command that waited 0.5 s without a decision", async () => {
    const { clock, answers, enqueue, mailbox } = setUp();
    enqueue();
    for (let ms = 0; ms < 450; ms += 50) await clock.pass(50);
    assert.equal(answers.length, 0);
    await clock.pass(50);
    assert.equal(codeOf(answers[0]), "TRY_AGAIN");
    assert.deepEqual([mailbox.length, mailbox.quiet], [0, true]);
  });

  it("does not count time in which its own node was busy, up to 0.9 s", async () => {
    const { clock, answers, enqueue } = setUp();
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
    const { clock, mailbox, answers, enqueue } = setUp();
    enqueue();
    const [entry] = mailbox.takeBatch(1, 10);
    assert.ok(entry);
    entry.sentAtMs = clock.nowMs();
    for (let ms = 0; ms < 1_950; ms += 50) await clock.pass(50);
    assert.equal(answers.length, 0);
    await clock.pass(50);
    assert.equal(codeOf(answers[0]), "OUTCOME_UNKNOWN");
  });

  it("refuses commands at its limit immediately", async () => {
    const { clock, answers, enqueue } = setUp(2);
    enqueue();
    enqueue();
    enqueue();
    await clock.pass(0);
    assert.deepEqual(answers.map(codeOf), ["TRY_AGAIN"]);
  });

  it("takes the oldest first, requeues a batch in front, and drops answered commands", () => {
    const { mailbox, enqueue } = setUp();
    enqueue();
    enqueue();
    enqueue();
    const batch = mailbox.takeBatch(2, 10);
    assert.deepEqual([batch.length, mailbox.length], [2, 1]);
    giveUp(batch.slice(0, 1));
    mailbox.putBack(batch);
    assert.deepEqual([mailbox.length, mailbox.takeBatch(1, 10)[0] === batch[1]], [2, true]);
  });

  it("bounds a batch by the rows that it writes, but takes at least one command", () => {
    const { mailbox, enqueue } = setUp();
    for (const quantity of [8, 3, 6]) enqueue(undefined, quantity);
    const rows = (): number[] =>
      mailbox
        .takeBatch(10, 10)
        .map((entry) => ("quantity" in entry.command ? entry.command.quantity : 1));
    assert.deepEqual([rows(), rows(), rows()], [[8], [3, 6], []]);
    enqueue(undefined, 50);
    assert.deepEqual(rows(), [50]);
  });

  it("lets a duplicate of an open command join it, also while its batch is committed", async () => {
    const { mailbox, answers, enqueue } = setUp();
    enqueue("one");
    enqueue("one");
    assert.equal(mailbox.length, 1);
    const [entry] = mailbox.takeBatch(1, 10);
    assert.ok(entry);
    enqueue("one");
    enqueue("one", 2);
    assert.equal(mailbox.length, 1, "another quantity is another command");
    const purchase = {
      transactionId: "one",
      status: "pending",
      eventId: "e",
      tickets: [],
    } as const;
    entry.answer({ ok: true, value: { ...purchase, tickets: [], quantity: 1, replayed: false } });
    await new Promise(setImmediate);
    assert.deepEqual(
      answers.map((answer) => answer.ok && "replayed" in answer.value && answer.value.replayed),
      [false, true, true],
    );
    enqueue("one");
    assert.equal(mailbox.length, 2, "what is answered is joined no more");
  });

  it("does not let a forwarded command wait for one that may be forwarded in turn", () => {
    const { mailbox, enqueue } = setUp();
    enqueue("one");
    void mailbox.put(command("one"), true);
    assert.equal(mailbox.length, 2);
    for (const entry of mailbox.take(({ forwarded }) => !forwarded)) entry.forwardedAway = true;
    enqueue("one");
    assert.equal(mailbox.length, 2);
  });
});
