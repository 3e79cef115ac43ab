/** A problem that the person can mend. Its message is printed without a stack trace. */
export class ServerProblem extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ServerProblem";
  }
}

/** Receives one line of progress. */
export type Report = (line: string) => void;

/** Turns an error of the file system into one line that names the folder and what to do. */
export function folderProblem(error: unknown, folder: string): ServerProblem {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const remedy =
    code === "ENOSPC" || code === "EDQUOT"
      ? "its disk is full: make room, or set DATA_DIR to a folder on another disk"
      : code === "EACCES" || code === "EPERM" || code === "EROFS"
        ? "it cannot be written: change its owner, or set DATA_DIR to another folder"
        : code === "ENOTDIR" || code === "EEXIST"
          ? "a file stands where a folder is needed: move it away, or set DATA_DIR to another folder"
          : `${messageOf(error)}; set DATA_DIR to another folder, or repair this one`;
  return new ServerProblem(`The data folder ${folder} cannot be used: ${remedy}.`);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Seconds since a moment of performance.now(), as progress lines show them. */
export function secondsSince(startedMs: number): string {
  return `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
}
