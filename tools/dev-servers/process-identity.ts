import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

const LINUX = existsSync("/proc/self/stat");

/**
 * Returns when a process started, as an opaque text; undefined where it does not run (a zombie does
 * not). Pids are reused, so only pid and start together name one process.
 */
export function startedAt(pid: number): string | undefined {
  if (!LINUX)
    return (
      spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim() ||
      undefined
    );
  const fields = statFields(pid);
  return fields === undefined || fields.state === "Z" || fields.state === "X"
    ? undefined
    : `${bootId()}-${fields.startTicks}`;
}

/** Returns the parent of a process; undefined where it ended or the system does not tell. */
export function parentOf(pid: number): number | undefined {
  return LINUX ? statFields(pid)?.parent : undefined;
}

/** Returns the name of a process's program, cut to 15 letters; undefined likewise. */
export function commandOf(pid: number): string | undefined {
  return LINUX ? statFields(pid)?.command : undefined;
}

function statFields(
  pid: number,
): { command: string; state: string; parent: number; startTicks: string } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // Field 2 is the command in brackets and may have any character; 3 is the state, 4 the parent,
  // 22 the start.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    command: text.slice(text.indexOf("(") + 1, text.lastIndexOf(")")),
    state: fields[0] ?? "",
    parent: Number(fields[1]),
    startTicks: fields[19] ?? "",
  };
}

let knownBootId: string | undefined;
function bootId(): string {
  knownBootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return knownBootId;
}
