const DISK_FULL = "53100";

/** URLs of servers that have refused to write, and have not written since. */
const full = new Set<string>();

/** Notes an error that a server has answered: its SQLSTATE says whether its disk is full. */
export function noteServerError(url: string, code: string): void {
  if (code === DISK_FULL) full.add(url);
}

export function isDiskFull(url: string): boolean {
  return full.has(url);
}

/** Notes that a server has written again. */
export function noteRoom(url: string): void {
  full.delete(url);
}
