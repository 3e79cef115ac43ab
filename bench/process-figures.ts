import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";

/** What a process has computed since its start, in milliseconds of one core. */
export function cpuMs({ pid }: ChildProcess): number {
  return cpuMsOf(pid ?? 0);
}

/** The same of any process. */
export function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The most memory a process has held since its start, in MB. */
export function peakMemoryMb({ pid }: ChildProcess): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1_024;
}
