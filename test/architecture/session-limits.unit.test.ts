import assert from "node:assert/strict";
import { it } from "node:test";
import { PROFILES } from "../../lib/database/pool.ts";
import { SALE_LIMITS } from "../../lib/database/session-settings.ts";
import { UNKNOWN_OUTCOME_MAX_MS } from "../../services/purchasing/worker/mailbox.ts";

it("limits of a sale end one before the other: lock, statement, doubt", () => {
  const { lock_timeout, statement_timeout, idle_in_transaction_session_timeout } = SALE_LIMITS;
  assert.ok(lock_timeout < statement_timeout);
  assert.ok(statement_timeout <= 0.75 * UNKNOWN_OUTCOME_MAX_MS, "clearly below");
  assert.ok(idle_in_transaction_session_timeout < statement_timeout);
  for (const profile of ["sale", "worker"] as const) {
    const { acquireMs, connectMs, answerMs, raised } = PROFILES[profile];
    assert.equal(raised, undefined);
    assert.ok(acquireMs <= 0.5 * connectMs, "a connection is not given up with its caller");
    assert.ok(statement_timeout < answerMs && acquireMs < answerMs);
    assert.ok(answerMs <= UNKNOWN_OUTCOME_MAX_MS);
  }
});
