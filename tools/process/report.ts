import { processEnvironment } from "../../config/index.ts";
import type { Report } from "../dev-servers/server-problem.ts";

/** pino's number of the level `info`. */
const INFO = 30;

/** Whether a person reads the output: a terminal, and not production. */
export function isForPeople(): boolean {
  return process.stdout.isTTY && processEnvironment().NODE_ENV !== "production";
}

/** Writes progress: plain lines at a terminal, else JSON lines as the engine's log has them. */
export function createReport(name: string, bindings: object = {}): Report {
  if (isForPeople()) return (line) => console.log(`${name}: ${line}`);
  return (msg) =>
    console.log(
      JSON.stringify({ level: INFO, time: Date.now(), pid: process.pid, name, ...bindings, msg }),
    );
}
