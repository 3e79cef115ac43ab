import { type ListenOptions, type Server, type Socket, createServer } from "node:net";

/** Room for ten thousand connections in the second in which a sale starts; the default is 511. */
const BACKLOG = 4_096;
/**
 * Listening sockets per port. libuv accepts one connection per socket and poll, fifty to a hundred
 * per second under load; then the kernel's backlog overflows and clients wait for retransmissions.
 * See docs/decisions/0020-several-listeners-on-one-port.md.
 */
const LISTENERS = 16;
/** For port 0: another process may take the probed port first. */
const TRIES = 5;

/** `shared`: with other processes. `halfOpen`: `allowHalfOpen` of the server's connections. */
export type ListenTarget = { host: string; port: number; shared: boolean; halfOpen: boolean };

/**
 * Listens with the server's socket and fifteen more on one port, and passes their connections to
 * the server. Returns the other servers; the caller closes them. Without SO_REUSEPORT one socket
 * listens, if the port need not be shared. Rejects if the port cannot be had.
 */
export async function listenTogether(
  server: Server,
  { host, port, shared, halfOpen }: ListenTarget,
): Promise<Server[]> {
  for (let tries = 1; ; tries += 1) {
    const others: Server[] = [];
    try {
      // Probed without SO_REUSEPORT: two engines must not share a port by mistake.
      const free = shared && port !== 0 ? port : await probePort(host, port);
      const options = { host, port: free, backlog: BACKLOG, reusePort: true };
      await listen(server, options);
      while (others.length < LISTENERS - 1) {
        const other = createServer({ allowHalfOpen: halfOpen, noDelay: true }, (socket: Socket) =>
          server.emit("connection", socket),
        );
        others.push(other);
        await listen(other, options);
      }
      return others;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      for (const one of [server, ...others]) if (one.listening) await closed(one);
      if (code === "ENOTSUP" && !shared) {
        await listen(server, { host, port, backlog: BACKLOG });
        return [];
      }
      if (code !== "EADDRINUSE" || port !== 0 || tries === TRIES) throw error;
    }
  }
}

/** Checks that no other process has the port; finds a free one for 0. */
async function probePort(host: string, port: number): Promise<number> {
  const probe = createServer();
  await listen(probe, { host, port });
  const address = probe.address();
  await closed(probe);
  return typeof address === "object" && address !== null ? address.port : port;
}

function listen(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Resolves when the server's last connection has ended. */
export function closed(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()));
}
