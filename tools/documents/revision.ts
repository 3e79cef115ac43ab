import { spawnSync } from "node:child_process";
import { ROOT } from "../testing/static-checks.ts";

export type Revision = { hash: string; changed: boolean };

/** Runs git in the project. Undefined if git or the repository is missing, or the command fails. */
export function git(...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync("git", ["-C", ROOT, ...args], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/** Returns the revision of the working tree; `changed`: files differ from it. */
export function currentRevision(): Revision | undefined {
  const hash = git("rev-parse", "--short=10", "HEAD");
  if (hash === undefined) return undefined;
  return { hash, changed: git("status", "--porcelain", "--untracked-files=no") !== "" };
}

/** Returns the line that every generated page carries. `date`: of the run, YYYY-MM-DD. */
export function revisionLine(
  command: string,
  { revision = currentRevision(), date = new Date().toISOString().slice(0, 10) } = {},
): string {
  const hash = revision === undefined ? "unknown" : `\`${revision.hash}\``;
  const changes = revision?.changed === true ? " with uncommitted changes" : "";
  return `Generated from revision ${hash}${changes} on ${date} by \`${command}\`.`;
}

const LINE = new RegExp(
  "^Generated from revision (?:`([0-9a-f]{7,40})`|unknown)(?: with uncommitted changes)? " +
    "on (\\d{4}-\\d{2}-\\d{2}) by `([^`]+)`\\.$",
  "m",
);

/** Reads the line of a generated page. Undefined if it has none. */
export function readRevisionLine(
  page: string,
): { hash: string | undefined; date: string; command: string } | undefined {
  const [line, hash, date = "", command = ""] = LINE.exec(page) ?? [];
  return line === undefined ? undefined : { hash, date, command };
}
