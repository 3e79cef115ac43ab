import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { TcpPipe } from "./tcp-pipe.ts";

export type TcpProxy = {
  /** The server's URL, by way of the proxy. */
  url: string;
  /** Ends every connection at once, without a goodbye (reset). New ones are let through. */
  cut(): void;
  /** While on, connections are ended and new ones refused: the server is away. */
  away(on: boolean): void;
  /** While on, nothing passes in either direction: the server is frozen, or the cable pulled (blackhole). */
  freeze(on: boolean): void;
  /** While on, the server hears the client but its answers wait, or the other way round (half-open). */
  hold(what: "answers" | "requests", on: boolean): void;
  /** The next request with these bytes and all after it, or the answers to them, wait on its connection until they are let go by hold(…, false). */
  holdFrom(request: string, what: "answers" | "requests"): void;
  /** Whether such a request has come. */
  holds(): boolean;
  /** Latency of each direction. */
  slow(delayMs: number): void;
  /** Clients lose their connections, the server does not notice: requests that are held reach it when they are let go. */
  orphan(): void;
  close(): Promise<void>;
};

type Pair = {
  client: Socket;
  upstream: Socket;
  requests: TcpPipe;
  answers: TcpPipe;
  orphaned: boolean;
};

/** Stands between a client and a real server, so that the network can fail for one client alone. */
export async function openTcpProxy(serverUrl: string): Promise<TcpProxy> {
  const target = new URL(serverUrl);
  const pairs = new Set<Pair>();
  const held = { answers: false, requests: false };
  let delayMs = 0;
  let awaited: { bytes: Buffer; what: "answers" | "requests" } | undefined;
  let refusing = false;
  let frozen = false;

  const join = (client: Socket): void => {
    const upstream = connect({ host: target.hostname, port: Number(target.port) });
    const pair: Pair = {
      client,
      upstream,
      orphaned: false,
      requests: new TcpPipe(client, upstream),
      answers: new TcpPipe(upstream, client),
    };
    pairs.add(pair);
    pair.requests.listen((chunk) => {
      if (awaited === undefined || !chunk.includes(awaited.bytes)) return;
      pair[awaited.what].hold(true);
      awaited = undefined;
    });
    for (const pipe of ["requests", "answers"] as const) {
      pair[pipe].hold(held[pipe]);
      pair[pipe].slow(delayMs);
    }
    for (const socket of [client, upstream]) {
      socket.on("error", () => undefined);
      if (frozen) socket.pause();
    }
    client.on("close", () => {
      if (!pair.orphaned) upstream.destroy();
    });
    upstream.on("close", () => {
      pairs.delete(pair);
      client.destroy();
    });
  };
  const server = createServer((client) => {
    if (refusing) client.destroy();
    else join(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = new URL(serverUrl);
  url.hostname = "127.0.0.1";
  url.port = String(port);

  const cut = (): void => {
    for (const { client, upstream } of pairs) {
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
      for (const { client, upstream } of pairs)
        for (const socket of [client, upstream]) socket[on ? "pause" : "resume"]();
    },
    hold(what, on) {
      held[what] = on;
      for (const pair of pairs) pair[what].hold(on);
    },
    holdFrom: (request, what) => void (awaited = { bytes: Buffer.from(request), what }),
    holds: () => awaited === undefined,
    slow(ms) {
      delayMs = ms;
      for (const pair of pairs) for (const pipe of [pair.requests, pair.answers]) pipe.slow(ms);
    },
    orphan() {
      for (const pair of pairs) {
        pair.orphaned = true;
        pair.client.resetAndDestroy();
      }
    },
    async close() {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
