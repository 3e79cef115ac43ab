import { readdirSync, readFileSync } from "node:fs";

/**
 * Stops a server in the middle of whatever it does, or lets it go on: its process and, since PostgreSQL is many, all below it. To its clients it is then
 * there and silent, which is worse than gone.
 */
export function freezeProcess(pid: number, on: boolean): void {
  for (const each of treeOf(pid))
    try {
      process.kill(each, on ? "SIGSTOP" : "SIGCONT");
    } catch (error) {
      // One of those below that has ended since it was seen, as a connection or autovacuum's worker may, needs no signal.
      if (each === pid || (error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
}

/** Parents first, so that none of them starts another meanwhile. */
function treeOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // pid (command) state parent …; a command may hold anything but is followed by the last bracket.
      const fields =
        readFileSync(`/proc/${name}/stat`, "latin1").split(")").at(-1)?.trim().split(" ") ?? [];
      parents.set(Number(name), Number(fields[1]));
    } catch {
      // It has ended since the folder was read.
    }
  }
  const tree = [root];
  for (const pid of tree)
    for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  return tree;
}
