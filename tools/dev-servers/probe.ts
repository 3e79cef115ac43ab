import { connect } from "node:net";
import { freePort, isFree } from "./ports.ts";
import { ServerProblem } from "./server-problem.ts";
import type { Supervised } from "./supervisor.ts";

const ANSWER_WITHIN_MS = 1_000;
const PORTS_TRIED = 3;

/** Connects to 127.0.0.1, says something, and tells whether the answer matches. A server that is still starting answers no. */
export function answers(port: number, words: string, expected: RegExp): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    let heard = "";
    const settle = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(ANSWER_WITHIN_MS, () => settle(false));
    socket.on("error", () => settle(false));
    socket.on("close", () => settle(false));
    socket.on("connect", () => socket.write(words));
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
      if (expected.test(heard)) settle(true);
    });
  });
}

/** Starts a server on a free port; one that somebody else took in between is exchanged for another. */
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
