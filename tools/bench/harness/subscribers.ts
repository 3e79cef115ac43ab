import { createConnection, type Socket } from "node:net";

export type Subscriber = {
  /** The last number received. */
  left(): number;
  /** When it received this number or a smaller one, by `performance.now()`. */
  sees(wanted: number): Promise<number>;
  close(): void;
};

const NUMBER = '"available":';

/**
 * Resolves with the first number. A plain socket, because an HTTP parser for 5,000 streams would be
 * measured instead of the engine.
 */
export async function subscribe(url: string, eventId: string): Promise<Subscriber> {
  const { hostname, port, host } = new URL(url);
  const socket: Socket = createConnection({ host: hostname, port: Number(port), noDelay: true });
  let left = Infinity;
  let waiting:
    { wanted: number; resolve: (atMs: number) => void; reject: (error: Error) => void } | undefined;
  socket.on("error", () => undefined);
  socket.on("close", () => waiting?.reject(new Error("A stream ended before its number came")));
  socket.on("data", (chunk: Buffer) => {
    const at = chunk.lastIndexOf(NUMBER);
    if (at === -1) return;
    left = Number.parseInt(
      chunk.toString("latin1", at + NUMBER.length, at + NUMBER.length + 12),
      10,
    );
    if (waiting === undefined || left > waiting.wanted) return;
    waiting.resolve(performance.now());
    waiting = undefined;
  });
  socket.write(`GET /api/events/${eventId}/availability HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const subscriber: Subscriber = {
    left: () => left,
    sees: (wanted) =>
      left <= wanted
        ? Promise.resolve(performance.now())
        : new Promise((resolve, reject) => (waiting = { wanted, resolve, reject })),
    close: () => socket.destroy(),
  };
  await subscriber.sees(Number.MAX_SAFE_INTEGER);
  return subscriber;
}

/** Connections opened at the same time. More would measure how fast connections open. */
const JOINING = 200;

export async function subscribeMany(
  url: string,
  eventId: string,
  count: number,
): Promise<Subscriber[]> {
  const all: Subscriber[] = [];
  while (all.length < count)
    all.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(JOINING, count - all.length) }, () =>
          subscribe(url, eventId),
        ),
      )),
    );
  return all;
}
