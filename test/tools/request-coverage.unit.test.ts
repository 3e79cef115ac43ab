import assert from "node:assert/strict";
import { test } from "node:test";
import { accepted } from "../../domain/refusal.ts";
import { byFile, coveragePage } from "../../tools/coverage/coverage-page.ts";
import { functionsOfRequest, startFunctionCounter } from "../../tools/coverage/function-counts.ts";
import { readRevisionLines } from "../../tools/documents/revision.ts";

const counts = (entries: Record<string, number>) => new Map(Object.entries(entries));

test("counts the runs of the engine's functions, and only since the last call", () => {
  const counter = startFunctionCounter();
  try {
    counter.take();
    accepted(1);
    accepted(2);
    const runs = [...counter.take()].filter(([name]) => name.includes("\taccepted\t"));
    assert.deepEqual(
      runs.map(([name, count]) => [name.split("\t")[0], count]),
      [["domain/refusal.ts", 2]],
    );
    assert.deepEqual([...counter.take()], []);
  } finally {
    counter.stop();
  }
});

test("leaves out what a timer runs, and what ran in some samples only", () => {
  const samples = [
    counts({ request: 1, "timer and request": 3, timer: 1, sometimes: 1 }),
    counts({ request: 1, "timer and request": 3, timer: 2 }),
    counts({ request: 1, "timer and request": 2, timer: 1, sometimes: 1 }),
  ];
  const idle = [
    counts({ timer: 1, "timer and request": 1 }),
    counts({ timer: 1 }),
    counts({ timer: 2, "timer and request": 1 }),
  ];
  assert.deepEqual(functionsOfRequest(samples, idle), ["request", "timer and request"]);
});

test("the page has a row for each file and the revision", () => {
  const request = {
    title: "A purchase",
    request: "POST /",
    filesMax: 1,
    functions: ["domain/decide.ts\tdecide\t1", "domain/decide.ts\t\t9", "lib/a.ts\ta\t1"],
  };
  assert.deepEqual(byFile(request), [
    ["domain/decide.ts", ["decide", "(anonymous)"]],
    ["lib/a.ts", ["a"]],
  ]);
  const page = coveragePage([request]);
  assert.match(page, /\| A purchase \| 2 \| 1 \| 3 \|/);
  assert.equal(readRevisionLines(page)[0]?.command, "npx boxoffice coverage --write");
});
