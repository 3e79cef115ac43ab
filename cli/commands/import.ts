import { setTimeout as wait } from "node:timers/promises";
import { ConfigError, processEnvironment } from "../../config/index.ts";
import type { EventRecord } from "../../domain/event-record.ts";
import type { Answer } from "../../domain/refusal.ts";
import { tuneGc } from "../../lib/observability/gc-tuning.ts";
import { FeedError } from "../../tools/feeds/feed-error.ts";
import { type Counts, importFeed, type Outcome } from "../../tools/feeds/import-feed.ts";
import { openInput } from "../../tools/feeds/input.ts";
import { readFeed } from "../../tools/feeds/read-feed.ts";
import { readArguments, USAGE } from "./import-arguments.ts";
import { createProgress } from "./import-progress.ts";
import { type Engine, joinEngine, NoEngine } from "../../tools/engine/connect.ts";

const CALL_MS = 120_000;
/** A batch is the same when it is sent again, so a lost answer costs nothing. */
const TRIES = 4;
const AGAIN_MS = 2_000;

// npm run import -- FILE: writes a feed into the catalogue of the running engine. The last line on standard output is always the summary.

const found = readArguments(process.argv.slice(2));
if (found.help) {
  console.log(USAGE);
  process.exit(0);
}
if (found.problem !== undefined) {
  console.error(`${found.problem}\n\n${USAGE}`);
  process.exit(1);
}
// A million records pass through; what lives is two windows of them.
tuneGc(0);
// Said outright: a bus that was never reached is tried again for ever behind our back.
process.exit(await run(found.source, found.options));

async function run(source: string, options: typeof found.options): Promise<number> {
  const counts: Counts = { imported: 0, updated: 0, unchanged: 0, repeated: 0, refused: 0 };
  const stopping = new AbortController();
  let engine: Engine | undefined;
  let code = 0;
  const progress = createProgress(process.stderr, counts);
  try {
    engine = await joinEngine(processEnvironment(), { as: "import", needs: "catalog" });
    const { broker } = engine;
    const input = await openInput(source, process.stdin);
    // npm passes Ctrl-C on, so it may come twice; what is in flight is finished, the rest is left.
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
    if (stopping.signal.aborted) code = 130;
  } catch (error) {
    code = stopping.signal.aborted ? 130 : 1;
    if (code === 1) progress.problem(messageFor(error, source));
  }
  progress.stop();
  if (code === 130)
    console.error(
      "Stopped. What is counted below is in the catalogue; importing the same feed again does the rest.",
    );
  const { imported, updated, unchanged, repeated, refused } = counts;
  console.log(
    `imported ${imported}, updated ${updated}, unchanged ${unchanged}, repeated ${repeated}, refused ${refused}`,
  );
  await engine?.broker.stop();
  return code;
}

async function sendTo(
  broker: Engine["broker"],
  records: EventRecord[],
  last: boolean,
): Promise<readonly Outcome[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      const answer = await broker.call<Answer<{ outcomes: Outcome[] }>, object>(
        "catalog.import",
        { records, last },
        { timeout: CALL_MS },
      );
      if (answer.ok) return answer.value.outcomes;
      if (answer.refusal.code !== "TRY_AGAIN")
        throw new NoEngine(`The catalogue refused the import: ${answer.refusal.code}`);
      if (tries === TRIES)
        throw new NoEngine("The import broke off: PostgreSQL is away or too busy");
      await wait(AGAIN_MS);
    } catch (error) {
      if (tries === TRIES || (error as { retryable?: boolean }).retryable !== true) throw error;
      await broker.waitForServices("catalog", 10_000);
    }
  }
}

function messageFor(error: unknown, source: string): string {
  if (error instanceof FeedError) return `The feed ${source} cannot be read: ${error.message}`;
  if (error instanceof NoEngine || error instanceof ConfigError) return error.message;
  return `The import broke off: ${error instanceof Error ? error.message : String(error)}`;
}
