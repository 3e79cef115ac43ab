import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

const LINUX = existsSync("/proc/self/stat");

/**
 * When a process was started, as an opaque word, or undefined where no such process runs. Together with the pid it names one
 * process for good: pids are used again, so a pid read from a file proves nothing by itself. A zombie does not run.
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

/** The parent of a process, or undefined where it is gone or the system does not say. */
export function parentOf(pid: number): number | undefined {
  return LINUX ? statFields(pid)?.parent : undefined;
}

/** The name of a process's program, cut to 15 letters, or undefined where the system does not say. */
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
  // The second field is the command in brackets and may hold anything; state is the 3rd, the parent the 4th, the start the 22nd.
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
