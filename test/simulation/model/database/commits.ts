import { SALE_LIMITS } from "../../../../lib/database/session-settings.ts";
import type { Commit } from "../../../../services/purchasing/store/batched-event-store.ts";
import { reasonOf } from "../../../../services/purchasing/store/event-store.ts";
import type { CommitResult } from "../../../../services/purchasing/worker/ports.ts";
import type { Kernel } from "../kernel.ts";
import type { EventTables } from "./event-tables.ts";
import { type BrokenClauses, type Server, sqlError } from "./rows.ts";

/** How long a statement works, and how long its commit takes to reach the disk. */
export type Pace = { statementMs: number; flushMs: number };
type Part = { event: EventTables; commit: Commit };
type Context = {
  server: Server & { event(eventId: string): EventTables };
  kernel: Kernel;
  broken: BrokenClauses;
};
type Ended =
  | { type: "committed"; results: CommitResult[] }
  | { type: "refused"; code: string }
  | { type: "cut" };

/** Models COMMIT: waits for the ownership row, checks the fence, writes. */
export function commitOne(
  context: Context,
  commit: Commit,
  pace: Pace,
  done: (result: CommitResult) => void,
): void {
  const { server, kernel, broken } = context;
  const event = server.event(commit.ownership.eventId);
  const askedAtMs = kernel.nowMs;
  const granted = (): void => {
    if (!event.isOwner(commit.ownership)) {
      unlock(context, [event]);
      return done({ type: "fenced" });
    }
    work(context, [{ event, commit }], pace, kernel.nowMs - askedAtMs, (end) => {
      if (end.type === "committed") done(end.results[0] ?? { type: "fenced" });
      else if (end.type === "cut") done({ type: "unknown", error: new Error("connection cut") });
      else done(failed(end.code));
    });
  };
  if (broken.rowLock === true) return granted();
  event.workerRow.take(granted, () => done(failed("55P03")));
  kernel.after(SALE_LIMITS.lock_timeout, "postgres", () => event.workerRow.stopWaiting(granted));
}

/**
 * Models COMMIT_MANY: skips rows that are locked or fenced. A refusal rolls back all of them.
 * Undefined: nothing of that event was done.
 */
export function commitMany(
  context: Context,
  commits: readonly Commit[],
  pace: Pace,
  done: (
    answer: { type: "answered"; results: (CommitResult | undefined)[] } | { type: "refused" },
  ) => void,
  fail: (error: Error) => void,
): void {
  const { server, broken } = context;
  const parts = commits
    .map((commit) => ({ commit, event: server.event(commit.ownership.eventId) }))
    .filter(({ event, commit: { ownership } }) => {
      const free = broken.rowLock === true || !event.workerRow.isHeld;
      if (!free || !event.isOwner(ownership)) return false;
      if (broken.rowLock !== true) event.workerRow.take(() => undefined);
      return true;
    });
  work(context, parts, pace, 0, (end) => {
    if (end.type === "cut") return fail(new Error("connection cut"));
    if (end.type === "refused") return done({ type: "refused" });
    const results = new Map(parts.map(({ commit }, index) => [commit, end.results[index]]));
    done({ type: "answered", results: commits.map((commit) => results.get(commit)) });
  });
}

/** Checks and writes all parts or none. Their rows are locked until the commit has been flushed. */
function work(
  context: Context,
  parts: readonly Part[],
  { statementMs, flushMs }: Pace,
  waitedMs: number,
  done: (end: Ended) => void,
): void {
  const { server, kernel, broken } = context;
  const { generation } = server;
  const end = (ended: Ended): void => {
    unlock(
      context,
      parts.map(({ event }) => event),
    );
    done(generation === server.generation ? ended : { type: "cut" });
  };
  const timedOut = waitedMs + statementMs > SALE_LIMITS.statement_timeout;
  kernel.after(
    timedOut ? SALE_LIMITS.statement_timeout - waitedMs : statementMs,
    "postgres",
    () => {
      const atMs = kernel.nowMs;
      const unchecked = parts.length > 1 && broken.manyStart === true;
      const hasStarted = ({ changes }: Commit): boolean =>
        atMs >= changes.event.startsAtMs && !unchecked;
      const refusals = parts.map(({ event, commit }) =>
        event.refusalOf(commit.changes, hasStarted(commit)),
      );
      const code = timedOut ? "57014" : refusals.find((refusal) => refusal !== undefined);
      if (code !== undefined) return end({ type: "refused", code });
      const commit = (): void => {
        if (generation !== server.generation) return end({ type: "cut" });
        const results = parts.map(({ event, commit }) =>
          event.write(commit.ownership, commit.changes, { atMs, started: hasStarted(commit) }),
        );
        end({ type: "committed", results });
      };
      if (flushMs === 0) commit();
      else kernel.after(flushMs, "postgres", commit);
    },
  );
}

function unlock({ broken }: Context, events: readonly EventTables[]): void {
  if (broken.rowLock !== true) for (const event of events) event.workerRow.free();
}

function failed(code: string): CommitResult {
  const error = sqlError(code);
  return { type: "failed", error, reason: reasonOf(error) };
}
