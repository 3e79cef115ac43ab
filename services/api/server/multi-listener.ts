import { type ListenOptions, type Server, type Socket, createServer } from "node:net";

/** Ten thousand people connect in the same second when a sale starts; the default of 511 would turn most of them away. */
const BACKLOG = 4_096;
/**
 * Since 1.45 libuv takes one connection from a listening socket each time it looks at its sockets, which in a rush is fifty to a hundred times a second:
 * the kernel's queue runs over, and people wait for packets that are sent again after 1, 2, 4, 8 seconds. So many sockets on the port are as many
 * connections at a time.
 */
const LISTENERS = 16;
/** Whoever asks for any port gets one that was free a moment ago. */
const TRIES = 5;

/** `shared`: with other processes. `halfOpen`: as the server would have its connections, which may end their own side first. */
export type Wanted = { host: string; port: number; shared: boolean; halfOpen: boolean };

/**
 * Listens with the server's socket and fifteen more on one port, and gives it their connections as its own. Answers the servers of those others, for whoever
 * closes the first. Where the system has no SO_REUSEPORT, and nothing is to be shared, the first has to do. Rejects when the port cannot be had.
 */
export async function listenTogether(
  server: Server,
  { host, port, shared, halfOpen }: Wanted,
): Promise<Server[]> {
  for (let tries = 1; ; tries += 1) {
    const others: Server[] = [];
    try {
      // A port is asked for alone first: two engines must not come to share one because both were given it by mistake.
      const free = shared && port !== 0 ? port : await portAlone(host, port);
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

/** The port, or one that is free for 0, held for a moment by nobody else. */
async function portAlone(host: string, port: number): Promise<number> {
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

/** When the last connection of it has ended. */
export function closed(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()));
}
