import { relative } from "node:path";
import { ROOT } from "../root.ts";
import { idsOf } from "./checklist.ts";

/** What a run says of one test of a line; a row of JSON each on the standard output. */
export type Outcome = {
  title: string;
  file: string;
  outcome: "pass" | "fail" | "skipped";
  /** node:test's word for why it failed: `testCodeFailure`, `hookFailed`, … */
  failure?: string | undefined;
};

type TestEvent = {
  type: string;
  data: {
    name?: string;
    file?: string;
    skip?: unknown;
    details?: { error?: { failureType?: string } };
  };
};

/** A reporter of node:test that tells of tests whose titles begin with the id of a line. */
export default async function* outcomes(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (
      (type !== "test:pass" && type !== "test:fail") ||
      data.name === undefined ||
      idsOf(data.name).length === 0
    )
      continue;
    const skipped = data.skip !== undefined && data.skip !== false;
    const outcome: Outcome = {
      title: data.name,
      file: relative(ROOT, data.file ?? ""),
      outcome: type === "test:fail" ? "fail" : skipped ? "skipped" : "pass",
      failure: data.details?.error?.failureType,
    };
    yield `${JSON.stringify(outcome)}\n`;
  }
}
