import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { ServerProblem } from "./server-problem.ts";

/** Below the range that systems take for outgoing connections, so that no client can sit on a server's port while it restarts. */
const LOWEST = 20_000;
const HIGHEST = 32_000;
const given = new Set<number>();

/**
 * A port of 127.0.0.1 that is free now and that neither this process nor, on Linux, another one that still runs has been given here;
 * with a number, the first of so many in a row.
 */
export async function freePort(inARow = 1): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const first = randomInt(LOWEST, HIGHEST - inARow);
    const ports = Array.from({ length: inARow }, (_, index) => first + index);
    if (ports.some((port) => given.has(port))) continue;
    const taken = await Promise.all(
      ports.map(async (port) => (await isFree(port)) && (await reserve(port))),
    );
    for (const [index, port] of ports.entries()) if (taken[index]) given.add(port);
    if (taken.every(Boolean)) return first;
  }
  throw new ServerProblem(`No free port between ${LOWEST} and ${HIGHEST} on 127.0.0.1.`);
}

/**
 * Keeps a port from others who ask here until this process ends: a server may take seconds to listen, and may stop and start again.
 * The name is in Linux' abstract namespace, which leaves no file behind; a system without one reserves nothing.
 */
function reserve(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const holder = createServer();
    holder.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"));
    holder
      .listen({ path: `\0boxoffice-port-${port}`, exclusive: true }, () => resolve(true))
      .unref();
  });
}

/** Whether a server could listen there now. */
export function isFree(port: number, host = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
