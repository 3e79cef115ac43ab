import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { ServerProblem } from "./problem.ts";

/** Below the range that systems take for outgoing connections, so that no client can sit on a server's port while it restarts. */
const LOWEST = 20_000;
const HIGHEST = 32_000;
const given = new Set<number>();

/** A port of 127.0.0.1 that is free now and that this process has not given away before. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new ServerProblem(`No free port between ${LOWEST} and ${HIGHEST} on 127.0.0.1.`);
}

/** Whether a server could listen there now. */
export function isFree(port: number, host = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
