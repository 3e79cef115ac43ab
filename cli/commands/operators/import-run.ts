import { setTimeout as wait } from "node:timers/promises";
import { processEnvironment } from "../../../config/index.ts";
import type { EventRecord } from "../../../domain/event-record.ts";
import type { Answer } from "../../../domain/refusal.ts";
import { tuneGc } from "../../../lib/observability/gc-tuning.ts";
import { type Engine, EngineProblem, joinEngine } from "../../../tools/engine/connect.ts";
import type { FeedOptions } from "../../../tools/feeds/complete-event.ts";
import type { Format } from "../../../tools/feeds/draft-event.ts";
import { FeedError } from "../../../tools/feeds/feed-error.ts";
import type { Counts, Outcome, Told } from "../../../tools/feeds/feed-record.ts";
import { importFeed } from "../../../tools/feeds/import-feed.ts";
import { openInput } from "../../../tools/feeds/input.ts";
import { type MissingMode, settleMissing } from "../../../tools/feeds/missing-events.ts";
import { readFeed } from "../../../tools/feeds/read-feed.ts";
import { expectedMessage } from "../../../tools/process/expected-problem.ts";
import { STOPPED } from "../../../tools/process/run-to-exit.ts";
import { createProgress } from "./import-progress.ts";
import { createImportReport, type ImportReport } from "./import-report.ts";

const CALL_TIMEOUT_MS = 120_000;
/** An import is idempotent, so a lost answer only costs the repetition. */
const ATTEMPTS_MAX = 4;
const RETRY_AFTER_MS = 2_000;

export type ImportOptions = FeedOptions & {
  format?: Format;
  /** With `source` or `missing`, the events that left the feed are counted; kept without it. */
  missing?: MissingMode;
  /** Fetches the pictures of the feed after its events. */
  images?: boolean;
  verbose?: boolean;
};

/** Exit code of an import that refused records and wrote the others. */
const SOME_REFUSED = 3;

/** Writes a feed into the catalog of the running engine. Returns the exit code. */
export async function runImport(source: string, options: ImportOptions): Promise<number> {
  // A million records pass through; two windows of them live.
  tuneGc(0);
  const counts: Counts = { imported: 0, updated: 0, unchanged: 0, repeated: 0, refused: 0 };
  const stopping = new AbortController();
  let engine: Engine | undefined;
  let code = 0;
  const progress = createProgress(process.stderr, counts);
  let report: ImportReport | undefined;
  let left = "";
  const tell = (told: Told): void => {
    report?.add(told);
    if (told.what === "refused" || options.verbose === true) progress.line(lineOf(told));
  };
  try {
    engine = await joinEngine(processEnvironment(), { as: "import", needs: "catalog" });
    const { broker, config } = engine;
    report = createImportReport(config.dataDir, new Date());
    const input = await openInput(source, process.stdin);
    // Calls in flight finish, the rest is left. npm repeats Ctrl-C, so it may come twice.
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.on(signal, () => {
        stopping.abort();
        input.close();
      });
    progress.start(input);
    // sharp is loaded for pictures only.
    const { createImageImport } = options.images ? await import("./import-images.ts") : {};
    const images = createImageImport?.(
      config.dataDir,
      (action, params) => call(broker, action, params),
      (told) => report?.add(told),
      (text) => progress.line(text),
    );
    const send = async (records: EventRecord[], last = false) => {
      const outcomes = await sendTo(broker, records, last);
      await images?.offer(records);
      return outcomes;
    };
    const { signal } = stopping;
    const upcoming = (source: string, after: string) =>
      call<{ records: EventRecord[] }>(broker, "catalog.upcoming", { source, after }).then(
        ({ records }) => records,
      );
    const hooks = { send, upcoming, tell, progress: () => progress.update(), signal };
    const records = readFeed(input.chunks, options);
    const feed = await importFeed(images?.note(records) ?? records, counts, hooks);
    if (options.missing !== undefined || options.source !== undefined) {
      const { missing, cancelled } = await settleMissing(feed, options.missing ?? "keep", hooks);
      left = `, missing ${missing}, cancelled ${cancelled}`;
    }
    if (counts.imported + counts.updated > 0 || left !== "") await send([], true);
    if (images !== undefined && !signal.aborted) {
      progress.stop();
      await images.run(signal);
    }
    if (counts.refused > 0) code = SOME_REFUSED;
    if (signal.aborted) code = STOPPED;
  } catch (error) {
    code = stopping.signal.aborted ? STOPPED : 1;
    if (code === 1) progress.problem(messageFor(error, source));
  }
  progress.stop();
  if (code === STOPPED)
    console.error(
      "Stopped. The catalog has what is counted below; import the feed again for the rest.",
    );
  const named = report?.path();
  if (named !== undefined) console.log(`report: ${named}`);
  const { imported, updated, unchanged, repeated, refused } = counts;
  console.log(
    `imported ${imported}, updated ${updated}, unchanged ${unchanged}, ` +
      `repeated ${repeated}, refused ${refused}${left}`,
  );
  await engine?.broker.stop();
  return code;
}

function lineOf({ what, number, name, reason }: Told): string {
  return `${number === undefined ? what : `record ${number}`}, ${name}: ${reason}`;
}

async function sendTo(
  broker: Engine["broker"],
  records: EventRecord[],
  last: boolean,
): Promise<readonly Outcome[]> {
  return (await call<{ outcomes: Outcome[] }>(broker, "catalog.import", { records, last }))
    .outcomes;
}

/** Repeats a call of the catalog while it is unavailable or busy. */
async function call<Result>(
  broker: Engine["broker"],
  action: string,
  params: object,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await broker.call<Answer<Result>, object>(action, params, {
        timeout: CALL_TIMEOUT_MS,
      });
      if (answer.ok) return answer.value;
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
