import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type MemoryGroup = {
  /** A process that writes its pid here has the limit, and so have its children. */
  entrance: string;
  /** Processes that the kernel has killed for want of memory. */
  killed(): number;
  /** The most that was in use, page cache included, in bytes. */
  peakBytes(): number;
  /** Removes the group, which must be empty. */
  remove(): void;
};

let groups = 0;

/** Makes a control group with so much memory, of cgroup v2 or v1. Needs root. */
export function memoryGroup(bytes: number): MemoryGroup {
  const isOld = existsSync("/sys/fs/cgroup/memory/memory.limit_in_bytes");
  const root = isOld ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup";
  groups += 1;
  const folder = join(root, `boxoffice-memory-${process.pid}-${groups}`);
  if (!isOld) writeFileSync(join(root, "cgroup.subtree_control"), "+memory");
  mkdirSync(folder);
  writeFileSync(join(folder, isOld ? "memory.limit_in_bytes" : "memory.max"), String(bytes));
  const read = (file: string): string => readFileSync(join(folder, file), "utf8");
  return {
    entrance: join(folder, "cgroup.procs"),
    killed: () => {
      const events = read(isOld ? "memory.oom_control" : "memory.events");
      return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
    },
    peakBytes: () => Number(read(isOld ? "memory.max_usage_in_bytes" : "memory.peak")),
    remove: () => rmdirSync(folder),
  };
}
