import { setTimeout as delay } from "node:timers/promises";
import { messageOf, type Report, secondsSince } from "../dev-servers/server-problem.ts";
import { restartWaits, whenText } from "../process/restart-waits.ts";
import type { ClusterNode } from "./node-child.ts";

/** How a node ends that was asked to, as by SIGTERM or `drain`. */
const ASKED = "exit code 0";

/**
 * Starts a running node again whenever it ends unasked: at once, then with growing waits, without
 * limit, until the signal aborts. A node that was asked to end stays ended.
 */
export async function keepRunning(
  node: ClusterNode,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const waits = restartWaits();
  for (let readyMs = performance.now(); ; readyMs = performance.now()) {
    const how = await node.ended();
    const endedMs = performance.now();
    let reason = `${node.name} ended (${how})`;
    if (how === ASKED || signal.aborted) {
      report(reason);
      return;
    }
    for (let ranMs = endedMs - readyMs; node.pid === undefined; ranMs = 0) {
      const waitMs = waits.next(ranMs);
      report(`${reason}; starting it again ${whenText(waitMs)}`);
      try {
        await delay(waitMs, undefined, { signal });
        await node.start();
      } catch (error) {
        if (signal.aborted) return;
        reason = messageOf(error);
      }
    }
    report(`${node.name} is back (${secondsSince(endedMs)})`);
  }
}
