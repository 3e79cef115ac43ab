import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Histogram } from "./histogram.ts";

/** People who do the same, each on a keep-alive connection of its own. */
export type Group = {
  name: string;
  people: number;
  /** From one request to the next of the same person, in milliseconds, whatever the answer takes; 0: as soon as the answer is there. */
  everyMs: number;
  /** Requests as bytes of HTTP/1.1; each person takes one after the other from a place of its own, by `order` where given (indexes, repeated). */
  requests: readonly string[];
  order?: readonly number[];
};

export type GroupResult = {
  name: string;
  times: Histogram;
  /** Answers by status. */
  statuses: Record<string, number>;
  /** Connections that were refused, cut or closed. */
  broken: number;
  /** Requests that have had no answer ten seconds after the end. */
  unanswered: number;
  /** The fewest answers that one person had. */
  fewest: number;
  bytes: number;
};

export type CrowdResult = { seconds: number; groups: GroupResult[]; cpuMs: number };

export type CrowdOptions = { url: string; groups: Group[]; warmUpSeconds: number; seconds: number };

/**
 * Sends a crowd from a process of its own: they come one after the other in the first `warmUpSeconds`, then ask at their own fixed times, so that a stall
 * counts for everyone who would have come in it (no coordinated omission). What comes due in the `seconds` after the warm-up is counted, however late it is
 * answered. `measuring` is called when counting begins.
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

async function goneOf(crowd: ReturnType<typeof fork>): Promise<never> {
  const [code] = (await once(crowd, "exit")) as [number | null];
  throw new Error(`The crowd's process ended early (${code})`);
}

/** One request as it goes over the wire. Like a browser, it takes brotli. */
export function rawRequest(
  method: "GET" | "POST",
  path: string,
  headers: Record<string, string> = {},
  body = "",
): string {
  const length =
    body === ""
      ? {}
      : { "Content-Type": "application/json", "Content-Length": String(body.length) };
  const lines = Object.entries({
    Host: "127.0.0.1",
    "Accept-Encoding": "gzip, deflate, br",
    ...length,
    ...headers,
  });
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
}
