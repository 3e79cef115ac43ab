import {
  closeSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  statfsSync,
} from "node:fs";

const LOG_KEPT_BYTES = 10 * 1024 * 1024;
const TAIL_BYTES = 8 * 1024;
const LINES_READ = 20;
const LINES_SHOWN = 4;

/** Opens a server's log to append; renames a large one first. Returns where this run begins. */
export function openLog(file: string): { descriptor: number; beginsAt: number } {
  try {
    if (statSync(file).size > LOG_KEPT_BYTES) renameSync(file, `${file}.old`);
  } catch {
    // No log yet.
  }
  const descriptor = openSync(file, "a", 0o600);
  return { descriptor, beginsAt: fstatSync(descriptor).size };
}

/**
 * Returns the end of a server's log of this run as one line, from the first of the last lines that
 * reports trouble. Says so where the disk is full.
 */
export function lastLines(file: string, beginsAt: number): string {
  const lines = tail(file, beginsAt)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/warning/i.test(line))
    .slice(-LINES_READ);
  const trouble = lines.findIndex((line) =>
    /error|fatal|fail|cannot|can't|could not|refus|denied|no space|in use/i.test(line),
  );
  const picked = (trouble >= 0 ? lines.slice(trouble) : lines.slice(-LINES_SHOWN))
    .slice(0, LINES_SHOWN)
    .map((line) => line.slice(0, 300));
  if (diskIsFull(file)) picked.push("the disk is full");
  return picked.length > 0 ? picked.join(" | ") : "its log is empty";
}

function tail(file: string, beginsAt: number): string {
  try {
    const descriptor = openSync(file, "r");
    try {
      const size = fstatSync(descriptor).size;
      const from = Math.max(beginsAt, size - TAIL_BYTES);
      const bytes = Buffer.alloc(Math.max(0, size - from));
      readSync(descriptor, bytes, 0, bytes.length, from);
      return bytes.toString("utf8");
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return "";
  }
}

function diskIsFull(file: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(file);
    return bavail * bsize < 1024 * 1024;
  } catch {
    return false;
  }
}
