import assert from "node:assert/strict";
import { it } from "node:test";
import { createAdmissionQueue } from "../../services/api/server/admission-queue.ts";

it("the line does so much work a turn, and the rest in order in the turns that follow", async () => {
  const line = createAdmissionQueue(2);
  const done: number[] = [];
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  for (let number = 1; number <= 5; number++) line(() => void done.push(number));
  assert.deepEqual(done, [1, 2], "the first two tasks do not wait");
  await turn();
  assert.deepEqual(done, [1, 2, 3, 4]);
  line(() => void done.push(6));
  assert.deepEqual(done, [1, 2, 3, 4], "a later task does not overtake");
  await turn();
  assert.deepEqual(done, [1, 2, 3, 4, 5, 6]);
  await turn();
  line(() => void done.push(7));
  assert.deepEqual(done.at(-1), 7, "an empty line is no line");
});
