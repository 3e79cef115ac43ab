import { spawnSync } from "node:child_process";
import { ROOT } from "../root.ts";

const UNKNOWN = "unknown";

/** Runs git in the project. Undefined if git or the repository is missing, or the command fails. */
export function git(...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync("git", ["-C", ROOT, ...args], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/** Returns the revision of the working tree. A trailing + says that files differ from it. */
export function currentRevision(): string {
  const hash = git("rev-parse", "--short=10", "HEAD");
  if (hash === undefined) return UNKNOWN;
  return git("status", "--porcelain", "--untracked-files=no") === "" ? hash : `${hash}+`;
}

/** What a generated page says about its origin. */
export type Origin = { revision: string; date: string; command: string };

/**
 * Returns the line that every generated page carries. `revision` and `date` are those of the run
 * whose results the page shows.
 */
export function revisionLine(
  command: string,
  { revision = currentRevision(), date = new Date().toISOString() } = {},
): string {
  const hash = revision.replace(/\+$/, "");
  const changes = revision === hash ? "" : " with uncommitted changes";
  return `Generated from revision \`${hash}\`${changes} on ${date.slice(0, 10)} by \`${command}\`.`;
}

const LINE = new RegExp(
  "^Generated from revision `([0-9a-f]{7,40}|unknown)`(?: with uncommitted changes)? " +
    "on (\\d{4}-\\d{2}-\\d{2})\\sby `([^`]+)`\\.",
  "gm",
);

/** Reads these lines of a page: one, or one for each section that has its own run. */
export function readRevisionLines(page: string): Origin[] {
  return [...page.matchAll(LINE)].map(([, revision = "", date = "", command = ""]) => {
    return { revision, date, command };
  });
}
