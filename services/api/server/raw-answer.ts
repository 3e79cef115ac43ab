import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { SECURITY_HEADERS, type Reply } from "../../../lib/http/problem-details.ts";

/** Browsers that have used TLS here use nothing else for a year. */
export const HSTS_YEAR = "max-age=31536000";
/** Time in which a client can read the answer before its connection is destroyed. */
const LINGER_MS = 1_000;

/** Answers on a connection that has no request of Node's, and closes it. */
export function answerRaw(socket: Socket, { status, headers, body }: Reply): void {
  const lines = Object.entries({
    ...SECURITY_HEADERS,
    ...(socket instanceof TLSSocket && { "Strict-Transport-Security": HSTS_YEAR }),
    ...headers,
    "Content-Length": Buffer.byteLength(body),
    Connection: "close",
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const reason = status === 413 ? "Content Too Large" : STATUS_CODES[status];
  // Node listens no longer: an error of this socket would end the process.
  socket.on("error", () => undefined);
  socket.end(`HTTP/1.1 ${status} ${reason}\r\n${lines.join("")}\r\n${String(body)}`);
  // A client that does not close its side would keep the connection.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
