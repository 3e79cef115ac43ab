import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Ask } from "./browsers.ts";
import type { Histogram } from "./histogram.ts";
import { type Processes, startMeter } from "./process-figures.ts";

/** People with the same behavior, each on a keep-alive connection. */
export type Group = {
  name: string;
  people: number;
  /**
   * Milliseconds between two requests of one person, independent of the response time. 0: as soon
   * as the response has arrived.
   */
  everyMs: number;
  /** Instead of `everyMs`: requests of the group in each second after the warm-up. */
  curve?: readonly number[];
  /** A person who still waits for an answer leaves out the request that is due. */
  patient?: boolean;
  /** Each person takes them in turn from an own start, in `order` (repeated indexes) if given. */
  asks: readonly Ask[];
  order?: readonly number[];
};

export type GroupResult = {
  name: string;
  times: Histogram;
  /** Times of answers with 200 and 201 only. */
  good: Histogram;
  /** Number of answers by status. */
  statuses: Record<string, number>;
  /** Connections that were refused, reset or closed. */
  broken: number;
  /** Requests without an answer ten seconds after the end. */
  unanswered: number;
  /** The fewest answers that one person had. */
  fewest: number;
  bytes: number;
};

export type CrowdResult = { seconds: number; groups: GroupResult[]; cpuMs: number };

export type CrowdOptions = { url: string; groups: Group[]; warmUpSeconds: number; seconds: number };

/**
 * Sends a crowd's requests from a process of its own. People connect one after the other in the
 * first `warmUpSeconds`, then send at fixed times, so that a stall counts for every request that
 * was due during it (no coordinated omission). Counts requests that are due in the `seconds` after
 * the warm-up, however late they are answered. Calls `measuring` when counting starts.
 */
export async function sendCrowd(
  options: CrowdOptions,
  measuring: () => void = () => undefined,
): Promise<CrowdResult> {
  const crowd = fork(fileURLToPath(new URL("crowd-process.ts", import.meta.url)));
  try {
    crowd.send(options);
    for (;;) {
      const [message] = (await Promise.race([once(crowd, "message"), goneOf(crowd)])) as [
        "measuring" | { result: CrowdResult } | { problem: string },
      ];
      if (message === "measuring") measuring();
      else if ("problem" in message) throw new Error(message.problem);
      else return message.result;
    }
  } finally {
    crowd.kill("SIGKILL");
  }
}

/**
 * Sends a crowd's requests and counts CPU meanwhile. `figures` divides by a number of operations.
 * Calls `measuring` when counting starts.
 */
export async function sendMetered(
  options: CrowdOptions,
  processes: Processes,
  measuring: () => void = () => undefined,
): Promise<CrowdResult & { figures: ReturnType<typeof startMeter> }> {
  let figures = startMeter(processes);
  const crowd = await sendCrowd(options, () => {
    figures = startMeter(processes);
    measuring();
  });
  return { ...crowd, figures };
}

async function goneOf(crowd: ReturnType<typeof fork>): Promise<never> {
  const [code] = (await once(crowd, "exit")) as [number | null];
  throw new Error(`The crowd's process ended early (${code})`);
}
