import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { ServerProblem } from "./server-problem.ts";

/** Below the range for outgoing connections: no client can take a server's port at a restart. */
const LOWEST = 20_000;
const HIGHEST = 32_000;
const ATTEMPTS_MAX = 200;
const given = new Set<number>();

/**
 * Returns a free port of 127.0.0.1 that neither this process nor, on Linux, another running process
 * got here; with `count`, the first of as many in a row.
 */
export async function freePort(count = 1): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const first = randomInt(LOWEST, HIGHEST - count);
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if (ports.some((port) => given.has(port))) continue;
    const reserved = await Promise.all(
      ports.map(async (port) => (await isFree(port)) && (await reserve(port))),
    );
    for (const [index, port] of ports.entries()) if (reserved[index]) given.add(port);
    if (reserved.every(Boolean)) return first;
  }
  throw new ServerProblem(`No port between ${LOWEST} and ${HIGHEST} of 127.0.0.1 is free.`);
}

/**
 * Reserves a port among our processes until this one ends: a server may take seconds to listen, and
 * may restart. The name is in Linux' abstract namespace, which leaves no file behind; a system
 * without one reserves nothing.
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
export async function isFree(port: number, host = "127.0.0.1"): Promise<boolean> {
  return (await listenError(port, host)) === undefined;
}

/** Throws a ServerProblem for the first port that cannot be opened; `setting` chooses another. */
export async function checkPorts(
  host: string,
  ports: readonly number[],
  setting: string,
): Promise<void> {
  for (const port of ports) {
    const code = await listenError(port, host);
    if (code !== undefined) throw new ServerProblem(portMessage(code, host, port, setting));
  }
}

function portMessage(code: string, host: string, port: number, setting: string): string {
  if (code === "EADDRINUSE")
    return `Port ${port} of ${host} is taken by another program. Stop it, or set ${setting}.`;
  if (code === "EACCES")
    return `Port ${port} may not be opened by this user. Set ${setting} to 1024 or higher.`;
  if (code === "EADDRNOTAVAIL") return `HOST=${host} is not an address of this machine.`;
  return `Port ${port} of ${host} cannot be opened (${code}). Set HOST or ${setting}.`;
}

/** The code of the error that listening gives; undefined where it works. */
function listenError(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
