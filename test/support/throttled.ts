import assert from "node:assert/strict";
import { type Answered, assertProblem } from "./http.ts";

/** Counts admitted searches. On a busy machine PostgreSQL may be late, which is no refusal. */
export const letIn = ({
  "200": found = 0,
  "503 TRY_AGAIN": late = 0,
}: Record<string, number>): number => found + late;
/** Checks a 429 and its headers. Returns the seconds of Retry-After. */
export const assertThrottled = (answer: Answered, limit: string, mostS: number): number => {
  assertProblem(answer, 429, "TOO_MANY_REQUESTS", ["limit", "retryAfterS"]);
  assert.equal(answer.json?.limit, limit);
  const retryAfterS = Number(answer.headers.get("retry-after"));
  assert.ok(
    Number.isInteger(retryAfterS) && retryAfterS >= 1 && retryAfterS <= mostS,
    `Retry-After: ${retryAfterS}`,
  );
  assert.match(
    answer.headers.get("ratelimit-policy") ?? "",
    new RegExp(`^"${limit}";q=\\d+;w=\\d+$`),
  );
  assert.match(
    answer.headers.get("ratelimit") ?? "",
    new RegExp(`^"${limit}";r=0;t=${retryAfterS}$`),
  );
  return retryAfterS;
};
