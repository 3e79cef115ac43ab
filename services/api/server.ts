import { type IncomingMessage, type Server, type ServerOptions, type ServerResponse, createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { SECURITY_HEADERS, problemOf } from "../../mixins/problem.ts";

/** Ten thousand people connect in the same second when a sale starts; the default of 511 would turn most of them away. */
const BACKLOG = 4_096;
/** What is in flight when the gateway stops may take so long to finish. */
const FINISH_MS = 5_000;

const OPTIONS: ServerOptions = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  // Longer than the minute that proxies keep theirs, so that it is never we who close a connection being reused.
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
  noDelay: true,
};

export type Tls = { cert: string; key: string };

export type GatewayServer = {
  /** The address it listens on, for people: http://127.0.0.1:3000. Rejects when the port cannot be had. */
  listen(host: string, port: number): Promise<string>;
  /** Accepts nothing more, finishes what is in flight, then closes. May be called again. */
  close(): Promise<void>;
};

/** The HTTP server under the gateway: bounded headers and waits, TLS 1.2 or later where there is a certificate. */
export function createGatewayServer(
  tls: Tls | undefined,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): GatewayServer {
  let closing: Promise<void> | undefined;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (tls !== undefined) response.setHeader("Strict-Transport-Security", "max-age=31536000");
    if (closing !== undefined) response.setHeader("Connection", "close");
    handle(request, response);
  };
  const server: Server =
    tls === undefined ? createServer(OPTIONS, answer) : createTlsServer({ ...OPTIONS, ...tls, minVersion: "TLSv1.2" }, answer);
  server.on("clientError", refuseUnreadable);

  return {
    async listen(host, port) {
      await new Promise<void>((resolve, reject) => {
        server.once("error", (error: NodeJS.ErrnoException) => reject(unlistenable(error, host, port)));
        server.listen({ host, port, backlog: BACKLOG }, resolve);
      });
      const { address, family, port: actual } = server.address() as AddressInfo;
      return `${tls === undefined ? "http" : "https"}://${family === "IPv6" ? `[${address}]` : address}:${actual}`;
    },
    close() {
      closing ??= new Promise((resolve) => {
        if (!server.listening) {
          resolve();
          return;
        }
        const force = setTimeout(() => server.closeAllConnections(), FINISH_MS);
        // An answer that was under way leaves its connection open and idle.
        const sweep = setInterval(() => server.closeIdleConnections(), 50);
        server.close(() => {
          clearTimeout(force);
          clearInterval(sweep);
          resolve();
        });
      });
      return closing;
    },
  };
}

function unlistenable(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const reasons: Record<string, string> = {
    EADDRINUSE: `port ${port} of ${host} is taken by another program: stop it, or set PORT to a free one`,
    EACCES: `port ${port} needs rights this user does not have: set PORT to 1024 or above`,
    EADDRNOTAVAIL: `this machine has no address ${host}: set HOST to one of its own`,
  };
  return new Error(`The gateway cannot listen: ${reasons[error.code ?? ""] ?? error.message}`, { cause: error });
}

/** What Node cannot parse never becomes a request; it gets a problem document all the same, and its connection is closed. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const { status, headers, body } = problemOf(error.code === "HPE_HEADER_OVERFLOW" ? "TOO_LARGE" : "MALFORMED", undefined);
  const lines = Object.entries({ ...SECURITY_HEADERS, ...headers, "Content-Length": Buffer.byteLength(body), Connection: "close" });
  socket.end(
    `HTTP/1.1 ${status} ${status === 413 ? "Content Too Large" : "Bad Request"}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`,
  );
}
