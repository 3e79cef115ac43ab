import { setTimeout as wait } from "node:timers/promises";
import { processEnvironment } from "../../../config/index.ts";
import type { EventRecord } from "../../../domain/event-record.ts";
import type { Answer } from "../../../domain/refusal.ts";
import { tuneGc } from "../../../lib/observability/gc-tuning.ts";
import { type Engine, EngineProblem, joinEngine } from "../../../tools/engine/connect.ts";
import type { FeedOptions } from "../../../tools/feeds/complete-event.ts";
import type { Format } from "../../../tools/feeds/draft-event.ts";
import { FeedError } from "../../../tools/feeds/feed-error.ts";
import { type Counts, importFeed, type Outcome } from "../../../tools/feeds/import-feed.ts";
import { openInput } from "../../../tools/feeds/input.ts";
import { readFeed } from "../../../tools/feeds/read-feed.ts";
import { expectedMessage } from "../../../tools/process/expected-problem.ts";
import { STOPPED } from "../../../tools/process/run-to-exit.ts";
import { createProgress } from "./import-progress.ts";

const CALL_TIMEOUT_MS = 120_000;
/** An import is idempotent, so a lost answer only costs the repetition. */
const ATTEMPTS_MAX = 4;
const RETRY_AFTER_MS = 2_000;

export type ImportOptions = FeedOptions & { format?: Format };

/** Writes a feed into the catalog of the running engine. Returns the exit code. */
export async function runImport(source: string, options: ImportOptions): Promise<number> {
  // A million records pass through; two windows of them live.
  tuneGc(0);
  const counts: Counts = { imported: 0, updated: 0, unchanged: 0, repeated: 0, refused: 0 };
  const stopping = new AbortController();
  let engine: Engine | undefined;
  let code = 0;
  const progress = createProgress(process.stderr, counts);
  try {
    engine = await joinEngine(processEnvironment(), { as: "import", needs: "catalog" });
    const { broker } = engine;
    const input = await openInput(source, process.stdin);
    // Calls in flight finish, the rest is left. npm repeats Ctrl-C, so it may come twice.
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.on(signal, () => {
        stopping.abort();
        input.close();
      });
    progress.start(input);
    const send = (records: EventRecord[], last = false) => sendTo(broker, records, last);
    await importFeed(readFeed(input.chunks, options), counts, {
      send,
      refused: (number, name, reason) => progress.line(`record ${number}, ${name}: ${reason}`),
      progress: () => progress.update(),
      signal: stopping.signal,
    });
    if (counts.imported + counts.updated > 0) await send([], true);
    if (stopping.signal.aborted) code = STOPPED;
  } catch (error) {
    code = stopping.signal.aborted ? STOPPED : 1;
    if (code === 1) progress.problem(messageFor(error, source));
  }
  progress.stop();
  if (code === STOPPED)
    console.error(
      "Stopped. The catalog has what is counted below; import the feed again for the rest.",
    );
  const { imported, updated, unchanged, repeated, refused } = counts;
  console.log(
    `imported ${imported}, updated ${updated}, unchanged ${unchanged}, ` +
      `repeated ${repeated}, refused ${refused}`,
  );
  await engine?.broker.stop();
  return code;
}

async function sendTo(
  broker: Engine["broker"],
  records: EventRecord[],
  last: boolean,
): Promise<readonly Outcome[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await broker.call<Answer<{ outcomes: Outcome[] }>, object>(
        "catalog.import",
        { records, last },
        { timeout: CALL_TIMEOUT_MS },
      );
      if (answer.ok) return answer.value.outcomes;
      if (answer.refusal.code !== "TRY_AGAIN")
        throw new EngineProblem(`The catalog refused the import: ${answer.refusal.code}`);
      if (attempt === ATTEMPTS_MAX)
        throw new EngineProblem("The import ended early: PostgreSQL is down or too busy");
      await wait(RETRY_AFTER_MS);
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || (error as { retryable?: boolean }).retryable !== true)
        throw error;
      await broker.waitForServices("catalog", 10_000);
    }
  }
}

function messageFor(error: unknown, source: string): string {
  if (error instanceof FeedError) return `The feed ${source} cannot be read: ${error.message}`;
  return (
    expectedMessage(error) ??
    `The import ended early: ${error instanceof Error ? error.message : String(error)}`
  );
}
