import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { TcpPipe } from "./tcp-pipe.ts";

export type TcpProxy = {
  /** The server's URL through the proxy. */
  url: string;
  /** Resets every open connection. New ones are accepted. */
  cut(): void;
  /** While on, resets connections and refuses new ones: the server is down. */
  away(on: boolean): void;
  /**
   * While on, forwards nothing in either direction: the server is frozen, or the cable is pulled.
   */
  freeze(on: boolean): void;
  /**
   * While on, holds answers or requests, and forwards the other direction (half-open connection).
   */
  hold(what: "answers" | "requests", on: boolean): void;
  /**
   * Holds the next request that contains these bytes and all later data of its connection, or its
   * answers. hold(…, false) releases them.
   */
  holdFrom(request: string, what: "answers" | "requests"): void;
  /** Whether such a request has arrived. */
  holds(): boolean;
  /** Sets the latency of each direction. */
  slow(delayMs: number): void;
  /**
   * Resets the clients' connections unnoticed by the server. Held requests reach it after release.
   */
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

/**
 * Forwards between clients and a real server, so that the network can fail for one client alone.
 */
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
