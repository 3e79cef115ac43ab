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
const LINES_SAID = 4;

/** Opens a server's log to append to; one that grew large is put aside first. Answers the file and where this run begins. */
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
 * What a server wrote at the end of this run, in one line: from the first of its last lines that tells of trouble on, since
 * some go on to explain and others go on to say goodbye. Says so where the disk was too full for any.
 */
export function lastWords(file: string, beginsAt: number): string {
  const lines = tail(file, beginsAt)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/warning/i.test(line))
    .slice(-LINES_READ);
  const trouble = lines.findIndex((line) =>
    /error|fatal|fail|cannot|can't|could not|refus|denied|no space|in use/i.test(line),
  );
  const words = (trouble >= 0 ? lines.slice(trouble) : lines.slice(-LINES_SAID))
    .slice(0, LINES_SAID)
    .map((line) => line.slice(0, 300));
  if (diskIsFull(file)) words.push("the disk is full");
  return words.length > 0 ? words.join(" | ") : "it said nothing";
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
