import { readdirSync, readFileSync } from "node:fs";

/**
 * Stops (SIGSTOP) or continues a server's process with all its descendants, since PostgreSQL has
 * many. A stopped server keeps its connections and is silent, which is worse than closed ones.
 */
export function freezeProcess(pid: number, on: boolean): void {
  for (const each of treeOf(pid))
    try {
      process.kill(each, on ? "SIGSTOP" : "SIGCONT");
    } catch (error) {
      // A descendant that has ended meanwhile, such as an autovacuum worker, needs no signal.
      if (each === pid || (error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
}

/** Lists parents first, so that no parent starts another child meanwhile. */
function treeOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // pid (command) state parent …; a command may hold any text, so read after the last bracket.
      const fields =
        readFileSync(`/proc/${name}/stat`, "latin1").split(")").at(-1)?.trim().split(" ") ?? [];
      parents.set(Number(name), Number(fields[1]));
    } catch {
      // The process has ended since the folder was read.
    }
  }
  const tree = [root];
  for (const pid of tree)
    for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  return tree;
}
