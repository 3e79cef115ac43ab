import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const PERIOD_US = 100_000;
/** Linux's unit of a process's CPU time, in all builds. */
const TICKS_PER_SECOND = 100;

/**
 * Lets processes have `cores` together, by a control group: of cgroup v2, or of v1 where that has
 * the CPU. Needs root. Returns what undoes it.
 */
export function limitCpu(pids: readonly number[], cores: number): () => void {
  const quota = Math.round(cores * PERIOD_US);
  const old = existsSync("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  const root = old ? "/sys/fs/cgroup/cpu" : "/sys/fs/cgroup";
  const group = join(root, `boxoffice-quota-${process.pid}`);
  const move = (folder: string, pid: number): void => {
    // A process that has ended cannot be moved, and need not be.
    if (existsSync(`/proc/${pid}`)) writeFileSync(join(folder, "cgroup.procs"), String(pid));
  };
  const homes = pids.map((pid) => ({ pid, home: homeOf(pid, old, root) }));
  const undo = (): void => {
    for (const { pid, home } of homes) move(home, pid);
    rmdirSync(group);
  };
  if (!old) writeFileSync(join(root, "cgroup.subtree_control"), "+cpu");
  mkdirSync(group);
  try {
    if (old) {
      writeFileSync(join(group, "cpu.cfs_period_us"), String(PERIOD_US));
      writeFileSync(join(group, "cpu.cfs_quota_us"), String(quota));
    } else writeFileSync(join(group, "cpu.max"), `${quota} ${PERIOD_US}`);
    for (const pid of pids) move(group, pid);
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
}

/** The folder of the group that a process is in. In v1 controllers may share one: cpu,cpuacct. */
function homeOf(pid: number, old: boolean, root: string): string {
  const line = old ? /^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:(.*)$/m : /^0::(.*)$/m;
  return join(root, line.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1] ?? "/");
}

/** The CPU time that processes have used since they began, in seconds. */
export function cpuSeconds(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    // The name, in brackets, may contain spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND;
}
