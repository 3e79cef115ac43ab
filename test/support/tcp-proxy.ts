import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export type TcpProxy = {
  /** The server's URL, by way of the proxy. */
  url: string;
  /** Ends every connection at once, without a goodbye. New ones are let through. */
  cut(): void;
  /** While on, connections are ended and new ones refused: the server is away. */
  away(on: boolean): void;
  /** While on, nothing passes in either direction: the server is frozen, or the cable pulled. */
  freeze(on: boolean): void;
  close(): Promise<void>;
};

/** Stands between a client and a real server, so that a test can take the server from one client alone. */
export async function openTcpProxy(serverUrl: string): Promise<TcpProxy> {
  const target = new URL(serverUrl);
  const pairs = new Set<readonly [Socket, Socket]>();
  let refusing = false;
  let frozen = false;

  const server = createServer((client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    const upstream = connect({ host: target.hostname, port: Number(target.port) });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [upstream, client] as const]) {
      from.on("data", (chunk) => {
        if (!to.write(chunk)) from.pause();
      });
      to.on("drain", () => {
        if (!frozen) from.resume();
      });
      from.on("error", () => undefined);
      from.on("close", () => {
        pairs.delete(pair);
        to.destroy();
      });
      if (frozen) from.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = new URL(serverUrl);
  url.hostname = "127.0.0.1";
  url.port = String(port);

  const cut = (): void => {
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  };
  return {
    url: url.href,
    cut,
    away(on) {
      refusing = on;
      if (on) cut();
    },
    freeze(on) {
      frozen = on;
      for (const pair of pairs) for (const socket of pair) socket[on ? "pause" : "resume"]();
    },
    async close() {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
