import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const DAY_MS = 86_400_000;

/** `rotated`: the new file, if there is one. `deleted`: files whose last line is too old. */
export type Rotation = { rotated: string | undefined; deleted: string[] };

/**
 * Moves an audit trail away, under the day (UTC), once a day at most. The nodes that write it
 * notice within seconds and go on in a new file. Deletes files that were moved away more than
 * `keepDays` ago. With `dryRun` only says what it would do.
 */
export function rotateAudit(
  file: string,
  { keepDays, dryRun, nowMs }: { keepDays: number; dryRun: boolean; nowMs: number },
): Rotation {
  const rotated = `${file}.${dayOf(nowMs)}`;
  const due = existsSync(file) && statSync(file).size > 0 && !existsSync(rotated);
  if (due && !dryRun) renameSync(file, rotated);
  const lastDay = dayOf(nowMs - keepDays * DAY_MS);
  const deleted = rotatedFiles(file).filter((old) => old.slice(file.length + 1) < lastDay);
  if (!dryRun) for (const old of deleted) rmSync(old, { force: true });
  return { rotated: due ? rotated : undefined, deleted };
}

function rotatedFiles(file: string): string[] {
  const folder = dirname(file);
  if (!existsSync(folder)) return [];
  const start = `${basename(file)}.`;
  return readdirSync(folder)
    .filter((name) => name.startsWith(start) && /^\d{4}-\d\d-\d\d$/.test(name.slice(start.length)))
    .sort()
    .map((name) => join(folder, name));
}

function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
