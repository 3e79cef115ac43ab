import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import type { RunningServers } from "../../dev-servers/servers.ts";

/** Processes by what they are called in a table: the engine, servers, the load; several where they are of one kind. */
export type Processes = Record<string, number | readonly number[]>;

/** What processes have computed an operation, in milliseconds of one core, and the most memory they have held since their start, in MB. */
export type ProcessFigures = { cpuMs: Record<string, number>; peakMb: Record<string, number> };

const TICK_MS = 10;

/** Counts from now on, until it is asked for so many operations. A server counts with the processes it has forked. */
export function startMeter(processes: Processes): (operations: number) => ProcessFigures {
  const before = cpuOfAll(processes);
  return (operations) => {
    const after = cpuOfAll(processes);
    const share = (name: string): number =>
      ((after[name] ?? 0) - (before[name] ?? 0)) / Math.max(1, operations);
    const names = Object.keys(processes);
    return {
      cpuMs: Object.fromEntries(names.map((name) => [name, share(name)])),
      // Of PostgreSQL's many processes each counts the shared buffers as its own, and the load is not of interest.
      peakMb: Object.fromEntries(
        names
          .filter((name) => !["postgres", "load"].includes(name))
          .map((name) => [
            name,
            [processes[name] ?? 0].flat().reduce((sum, pid) => sum + peakMemoryMbOf(pid), 0),
          ]),
      ),
    };
  };
}

/** Those of a run's servers that were started. */
export function serverProcesses(servers: RunningServers): Processes {
  return Object.fromEntries(servers.names.map((name) => [name, servers.server(name).pid ?? 0]));
}

/** This process, and the load generators that it has started and seen end, but nothing of its that still runs. */
export const LOAD: Processes = { load: process.pid };

function cpuOfAll(processes: Processes): Record<string, number> {
  const children = childrenByParent();
  const withChildren = (pid: number): number =>
    [...(children.get(pid) ?? [])].reduce(
      (sum, child) => sum + withChildren(child),
      cpuMsOf(pid, true),
    );
  const ofOne = (pid: number): number =>
    pid === process.pid ? cpuMsOf(pid, true) : withChildren(pid);
  return Object.fromEntries(
    Object.entries(processes).map(([name, pids]) => [
      name,
      [pids].flat().reduce((sum, pid) => sum + ofOne(pid), 0),
    ]),
  );
}

function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statOf(Number(name))[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  return children;
}

/** What a process has computed since its start, in milliseconds of one core. */
export function cpuMs({ pid }: ChildProcess): number {
  return cpuMsOf(pid ?? 0);
}

/** The same of any process; `withEnded`: and of its children that have ended. 0 where it has gone. */
export function cpuMsOf(pid: number, withEnded = false): number {
  const fields = statOf(pid);
  return (
    fields.slice(11, withEnded ? 15 : 13).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS
  );
}

/** What stands behind the name in /proc/PID/stat, of which the first is the state; nothing where the process has just ended. */
function statOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
  } catch {
    return [];
  }
}

/** The most memory a process has held since its start, in MB. */
export function peakMemoryMb({ pid }: ChildProcess): number {
  return peakMemoryMbOf(pid ?? 0);
}

export function peakMemoryMbOf(pid: number): number {
  try {
    return (
      Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1_024
    );
  } catch {
    return 0;
  }
}
