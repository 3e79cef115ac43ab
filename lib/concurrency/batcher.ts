export type GatherOptions = {
  /** Calls of `work` that may run at the same time. */
  running: number;
  /** Items in one piece of work. */
  most: number;
  /** Longest wait in ms. A question that waited longer is rejected. */
  waitMs: number;
  turns?: Turns | undefined;
};

/** Time, and the turns of the event loop in which work begins. */
export type Turns = { nowMs(): number; next(begin: () => void): void };

const EVENT_LOOP: Turns = {
  nowMs: () => performance.now(),
  next: (begin) => void setImmediate(begin),
};

/** Thrown if the work was not started in time. */
export class BatchExpired extends Error {}

type Waiting<Question, Answer> = {
  asked: Question;
  sinceMs: number;
  resolve: (answer: Answer | Promise<Answer>) => void;
  reject: (error: unknown) => void;
};

/**
 * Batches items: those of one turn of the event loop, and those that arrive while `running` pieces
 * of work are in progress. Under load there are fewer, larger pieces.
 *
 * `work` returns the answers in the order of the items. An answer may be a promise; the other items
 * do not wait for it. If `work` rejects, all items of the batch reject.
 */
export function createBatcher<Question, Answer>(
  work: (asked: Question[]) => Promise<(Answer | Promise<Answer>)[]>,
  { running: runningMax, most, waitMs, turns = EVENT_LOOP }: GatherOptions,
): (asked: Question) => Promise<Answer> {
  let waiting: Waiting<Question, Answer>[] = [];
  let running = 0;
  let due = false;

  const begin = (): void => {
    due = false;
    const nowMs = turns.nowMs();
    while (running < runningMax && waiting.length > 0) {
      const taken = waiting.slice(0, most);
      waiting = waiting.slice(most);
      const late = taken.filter(({ sinceMs }) => nowMs - sinceMs > waitMs);
      for (const { reject } of late)
        reject(new BatchExpired(`It waited ${waitMs} ms for its turn`));
      const group = late.length === 0 ? taken : taken.filter((one) => !late.includes(one));
      if (group.length > 0) void run(group);
    }
  };
  const run = async (group: Waiting<Question, Answer>[]): Promise<void> => {
    running += 1;
    try {
      const answers = await work(group.map(({ asked }) => asked));
      group.forEach(({ resolve }, index) => resolve(answers[index] as Answer | Promise<Answer>));
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      running -= 1;
      soon();
    }
  };
  const soon = (): void => {
    if (due || running >= runningMax || waiting.length === 0) return;
    due = true;
    turns.next(begin);
  };

  return (asked) =>
    new Promise((resolve, reject) => {
      waiting.push({ asked, sinceMs: turns.nowMs(), resolve, reject });
      soon();
    });
}
