import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ByteStream } from "./byte-streams.ts";

/** Above each time-out of the gateway; the longest is that of a quiet connection. */
const GIVE_UP_MS = 90_000;

/**
 * `bytes`: all that came. `closed`: false if the server kept the connection too long. `reset`: the
 * kernel has dropped what was under way, as it does when a server closes before it has read all.
 */
export type Exchange = { bytes: Buffer; closed: boolean; reset: boolean };

/** Sends a stream on a connection of its own, and reads until the server has closed it. */
export async function exchange(
  port: number,
  { chunks, end }: ByteStream,
  isTls: boolean,
): Promise<Exchange> {
  const to = { port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true };
  const socket: Socket = isTls
    ? connectTls({ ...to, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] })
    : connect(to);
  const received: Buffer[] = [];
  let reset = false;
  socket.on("error", () => (reset = true));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const opened = new Promise<void>((resolve) =>
    socket.once(isTls ? "secureConnect" : "connect", () => resolve()),
  );
  await Promise.race([opened, closed]);
  if (end === "unread") socket.pause();
  else socket.on("data", (chunk: Buffer) => received.push(chunk));
  // The server's end is the end: what it would keep open is seen by its count of connections.
  socket.once("end", () => socket.destroy());
  for (const chunk of chunks) {
    if (!socket.writable) break;
    await new Promise((resolve) => socket.write(chunk, resolve));
  }
  if (end === "half-close") socket.end();
  // A TLS socket cannot send a reset by itself; its end is abrupt enough.
  if ((end === "reset" || end === "unread") && isTls) socket.destroy();
  else if (end === "reset" || end === "unread") socket.resetAndDestroy();
  let inTime = true;
  const timer = setTimeout(() => {
    inTime = false;
    socket.destroy();
  }, GIVE_UP_MS);
  await closed;
  clearTimeout(timer);
  return { bytes: Buffer.concat(received), closed: inTime, reset };
}
