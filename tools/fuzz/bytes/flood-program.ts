// One attacker in a process of its own: `flood-program.ts KIND PORT`. Tells its parent when it has
// sent everything, and ends when the parent does.
import { connect as connectHttp2, type ClientHttp2Session, constants } from "node:http2";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** What the parent reads: the kinds, where it named none, or that all was sent. */
export type FloodMessage = string[] | "sent";

const tell = (message: FloodMessage): void => void process.send?.(message);
const [kind = "", port = ""] = process.argv.slice(2);
const url = `https://127.0.0.1:${port}`;
const BATCH = 100;

/** A session that the server may end at any time; then a new one is opened. */
function sessions(): () => Promise<ClientHttp2Session> {
  let session: ClientHttp2Session | undefined;
  return () => {
    if (session !== undefined && !session.closed && !session.destroyed)
      return Promise.resolve(session);
    const opened = (session = connectHttp2(url, { rejectUnauthorized: false }));
    opened.on("error", () => undefined);
    return new Promise((resolve) => {
      opened.once("connect", () => resolve(opened));
      opened.once("close", () => resolve(opened));
    });
  };
}

/** Streams on as few connections as the server lets. `each` ends a stream, or leaves it. */
async function streams(
  count: number,
  headers: object,
  each: (stream: ReturnType<ClientHttp2Session["request"]>) => void,
): Promise<void> {
  const session = sessions();
  for (let sent = 0; sent < count; sent += 1) {
    try {
      const stream = (await session()).request({ ":path": "/api/events?limit=50", ...headers });
      stream.on("error", () => undefined);
      stream.resume();
      each(stream);
    } catch {
      // The session has ended: the next stream opens another.
    }
    if (sent % BATCH === 0) await delay(0);
  }
}

const FLOODS: Record<string, () => Promise<void>> = {
  "10,000 streams of HTTP/2, each reset at once": () =>
    streams(10_000, {}, (stream) => stream.close(constants.NGHTTP2_CANCEL)),
  "10,000 streams of HTTP/2, all left open": () => streams(10_000, {}, () => undefined),
  "1,000 streams of HTTP/2 with 15 KB of headers each": () =>
    streams(1_000, { "x-bomb": "x".repeat(15_000) }, () => undefined),
  "5,000 connections with half a request each": async () => {
    const sockets: Socket[] = [];
    for (let number = 0; number < 5_000; number += 1) {
      const socket = connect(Number(port), "127.0.0.1");
      socket.on("error", () => undefined);
      socket.resume();
      socket.write("GET /api/events HTTP/1.1\r\nHost: x\r\nX-Slow: ");
      sockets.push(socket);
      if (number % BATCH === 0) await delay(0);
    }
    await Promise.all(
      sockets.map((socket) => new Promise((resolve) => socket.once("close", resolve))),
    );
  },
};

process.on("disconnect", () => process.exit(0));
if (kind === "") tell(Object.keys(FLOODS));
else {
  await FLOODS[kind]?.();
  tell("sent");
}
