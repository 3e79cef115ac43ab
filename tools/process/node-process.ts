import { flushCompileCache } from "node:module";
import { constants, setPriority } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { processEnvironment, readConfig } from "../../config/index.ts";
import { noteFault } from "../../lib/observability/faults.ts";
import { type RunningNode, startNode } from "../../main.ts";
import { type Report, secondsSince } from "../dev-servers/server-problem.ts";
import { tellParent } from "./node-message.ts";
import { createReport } from "./report.ts";
import { type Lifecycle, runUntilStopped } from "./run-until-stopped.ts";

/** Above the 8 s that the broker waits for its calls, and its own delays. */
const NODE_STOP_TIMEOUT_MS = 12_000;

/**
 * Runs one node of an engine whose servers and schema exist, as the environment says. SIGTERM lets
 * calls in flight finish and exits with 0; a second signal, two seconds later, exits at once.
 */
export function runNodeProcess(): void {
  const startedMs = performance.now();
  const report = createReport("node");
  runUntilStopped(report, async (life) => {
    const config = readConfig(processEnvironment());
    report(`process ${process.pid} is ${config.nodeId}`);
    // Sales on the same machine come first: a mail can wait.
    if (config.services.join() === "notifier")
      setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
    const node = await startNode(config);
    life.onStop("node", () => stopNode(node, report));
    const serves = node.url === undefined ? "" : ` on ${node.url}`;
    const services = config.services.join(", ");
    report(`${config.nodeId} runs ${services}${serves} (${secondsSince(startedMs)})`);
    stopAtUncaught(life);
    // Written now: a process that is killed would leave nothing for a fast start of the next.
    if (await tellParent({ url: node.url })) flushCompileCache();
  });
}

/**
 * Stops the node when an exception was caught nowhere: its state may be broken. Work in flight
 * still ends. Exits with 1, and who started the process starts it again.
 */
function stopAtUncaught(life: Lifecycle): void {
  process.on("uncaughtException", (error) => {
    noteFault("uncaught", error, "An exception was not caught: the node stops");
    life.stop("an exception was not caught", 1);
  });
}

/** Stops a node; leaves it after a time-out. */
export async function stopNode(node: RunningNode, report: Report): Promise<void> {
  const startedMs = performance.now();
  const inTime = await Promise.race([
    node.stop().then(() => true),
    delay(NODE_STOP_TIMEOUT_MS, false, { ref: false }),
  ]);
  report(
    inTime
      ? `node stopped (${secondsSince(startedMs)})`
      : `the node did not stop within ${NODE_STOP_TIMEOUT_MS / 1_000} s and is left`,
  );
}
