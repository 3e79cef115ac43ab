import { connect } from "node:net";
import { freePort, isFree } from "./ports.ts";
import { ServerProblem } from "./server-problem.ts";
import type { Supervised } from "./supervisor.ts";

const REPLY_TIMEOUT_MS = 1_000;
const PORTS_TRIED = 3;

/** Sends a request to a port of 127.0.0.1; returns whether the reply matches in time. */
export function answers(port: number, request: string, expected: RegExp): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    let reply = "";
    const settle = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(REPLY_TIMEOUT_MS, () => settle(false));
    socket.on("error", () => settle(false));
    socket.on("close", () => settle(false));
    socket.on("connect", () => socket.write(request));
    socket.on("data", (chunk) => {
      reply += chunk.toString("latin1");
      if (expected.test(reply)) settle(true);
    });
  });
}

/** Starts a server on a free port; tries another where a program took it in between. */
export async function onFreePort(
  start: (port: number) => Promise<Supervised>,
): Promise<Supervised> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    try {
      return await start(port);
    } catch (error) {
      const taken =
        error instanceof ServerProblem &&
        (/address (already )?in use|eaddrinuse/i.test(error.message) || !(await isFree(port)));
      if (!taken || attempt === PORTS_TRIED) throw error;
    }
  }
}
