import { readdirSync, readFileSync } from "node:fs";
import type { RunningServers } from "../../dev-servers/servers.ts";

/** Processes by their name in a table: engine, servers, load. Several for one kind. */
export type Processes = Record<string, number | readonly number[]>;

/** CPU milliseconds per operation, and peak memory in MB since the start of the process. */
export type ProcessFigures = { cpuMs: Record<string, number>; peakMb: Record<string, number> };

const TICK_MS = 10;

/**
 * Starts counting CPU. The returned function divides by the number of operations. A server includes
 * its child processes.
 */
export function startMeter(processes: Processes): (operations: number) => ProcessFigures {
  const before = cpuOfAll(processes);
  return (operations) => {
    const after = cpuOfAll(processes);
    const share = (name: string): number =>
      ((after[name] ?? 0) - (before[name] ?? 0)) / Math.max(1, operations);
    const names = Object.keys(processes);
    return {
      cpuMs: Object.fromEntries(names.map((name) => [name, share(name)])),
      // Without PostgreSQL, whose processes each count the shared buffers, and without the load.
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

/** The processes of a run's servers. */
export function serverProcesses(servers: RunningServers): Processes {
  return Object.fromEntries(servers.names.map((name) => [name, servers.server(name).pid ?? 0]));
}

/** This process and its ended load generators, without children that still run. */
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

/**
 * CPU milliseconds of a process since its start. `withEnded`: including ended children. 0 if it has
 * ended.
 */
export function cpuMsOf(pid: number, withEnded = false): number {
  const fields = statOf(pid);
  return (
    fields.slice(11, withEnded ? 15 : 13).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS
  );
}

/**
 * Fields of /proc/PID/stat behind the name, starting with the state. Empty if the process has
 * ended.
 */
function statOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
  } catch {
    return [];
  }
}

/** Peak memory of a process since its start, in MB. */
export function peakMemoryMbOf(pid: number): number {
  try {
    return (
      Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1_024
    );
  } catch {
    return 0;
  }
}
