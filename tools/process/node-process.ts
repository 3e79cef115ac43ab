import { setTimeout as delay } from "node:timers/promises";
import { processEnvironment, readConfig } from "../../config/index.ts";
import { type RunningNode, startNode } from "../../main.ts";
import { type Report, secondsSince } from "../dev-servers/server-problem.ts";
import { runUntilStopped } from "./run-until-stopped.ts";

/** Above what the broker waits for its calls (8 s) and its own delays. */
const NODE_STOP_MS = 12_000;

/**
 * A process that is one node of an engine whose servers and schema are there, as the environment says. SIGTERM lets what is under way finish and
 * exits with 0; a second signal, two seconds later or more, leaves at once.
 */
export function runNodeProcess(): void {
  const began = performance.now();
  const report = (line: string): void => console.log(`node: ${line}`);
  runUntilStopped(report, async (life) => {
    const config = readConfig(processEnvironment());
    report(`process ${process.pid} is ${config.nodeId}`);
    const node = await startNode(config);
    life.onStop("node", () => stopNode(node, report));
    const serves = node.url === undefined ? "" : ` on ${node.url}`;
    report(`${config.nodeId} runs ${config.services.join(", ")}${serves} (${secondsSince(began)})`);
  });
}

/** Stops a node, but does not wait for it for ever. */
export async function stopNode(node: RunningNode, report: Report): Promise<void> {
  const started = performance.now();
  const inTime = await Promise.race([
    node.stop().then(() => true),
    delay(NODE_STOP_MS, false, { ref: false }),
  ]);
  report(
    inTime
      ? `node stopped (${secondsSince(started)})`
      : `the node did not stop within ${NODE_STOP_MS / 1_000} s and is left`,
  );
}
