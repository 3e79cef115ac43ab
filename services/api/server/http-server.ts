import {
  type IncomingMessage,
  type Server,
  type ServerOptions,
  ServerResponse,
  createServer,
} from "node:http";
import {
  type Http2SecureServer,
  type Http2ServerRequest,
  type ServerHttp2Session,
  constants,
  createSecureServer,
} from "node:http2";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import { tuneGc } from "../../../lib/observability/gc-tuning.ts";
import { SECURITY_HEADERS, problemOf, sendAnswer } from "../../../lib/http/problem-details.ts";
import { closed, listenTogether } from "./multi-listener.ts";

/** Each costs some 20 KB; beyond, new ones are turned away so that those there are get served. */
const CONNECTIONS_MAX = 30_000;
/** What is in flight when the gateway stops may take so long to finish. */
const FINISH_MS = 5_000;
const SWEEP_MS = 50;
const HEADER_BYTES_MAX = 16_384;
/** A whole request, sent from the slowest phone: 64 KiB at most. */
const REQUEST_MS = 10_000;
/** Longer than the minute that proxies keep theirs, so that it is never we who close a connection being reused. */
const KEEP_ALIVE_MS = 65_000;

const OPTIONS: ServerOptions = {
  maxHeaderSize: HEADER_BYTES_MAX,
  headersTimeout: REQUEST_MS,
  requestTimeout: REQUEST_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  connectionsCheckingInterval: 500,
  noDelay: true,
};

/** HTTP/2 for whoever asks for it, HTTP/1.1 for all others. */
const TLS_OPTIONS = {
  ...OPTIONS,
  allowHTTP1: true,
  minVersion: "TLSv1.2",
  handshakeTimeout: REQUEST_MS,
  settings: { enablePush: false, maxConcurrentStreams: 128, maxHeaderListSize: HEADER_BYTES_MAX },
} as const;

/** Browsers that have met us over TLS keep to it for a year. */
export const HSTS_YEAR = "max-age=31536000";

/** What is in the files, and where they are, for whoever looks after them. */
export type Tls = { cert: string; key: string; certFile: string; keyFile: string };

export type GatewayServer = {
  /** The address it listens on, for people: http://127.0.0.1:3000. `shared`: with other processes. Rejects when the port cannot be had. */
  listen(host: string, port: number, shared?: boolean): Promise<string>;
  /** New connections get this certificate; those there are keep theirs. */
  renew(tls: Tls): void;
  /** Goes on serving, and tells each client with its answer (HTTP/2: at once) to come back by a new connection, which may lead elsewhere. */
  leave(): void;
  /** Accepts nothing more, finishes what is in flight, then closes. May be called again. */
  close(): Promise<void>;
};

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** The server under the gateway: bounded headers, waits and connections, TLS 1.2 or later and HTTP/2 where there is a certificate. */
export function createGatewayServer(tls: Tls | undefined, handle: Handle): GatewayServer {
  let closing: Promise<void> | undefined;
  let leaving = false;
  /** Looks when its headers are written, so that also what is under way when the gateway begins to leave ends its connection. */
  class Response<
    Request extends IncomingMessage = IncomingMessage,
  > extends ServerResponse<Request> {
    override writeHead(...args: unknown[]): this {
      if (leaving) this.shouldKeepAlive = false;
      return super.writeHead(...(args as [number]));
    }
  }
  const answer: Handle = (request, response) => {
    if ("stream" in request) adaptHttp2(request as unknown as Http2ServerRequest);
    // Node's parser also accepts other versions, such as HTTP/2.0 without its binary framing.
    else if (request.httpVersionMajor !== 1) return refuseVersion(request, response);
    handle(request, response);
  };
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const secure = tls === undefined ? undefined : createTlsServer(tls, answer, Response, sessions);
  const server: Server | Http2SecureServer =
    secure ?? createServer({ ...OPTIONS, ServerResponse: Response }, answer);
  let others: readonly NetServer[] = [];
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    refuseUnreadable(error, socket);
  });
  server.on("connection", (socket: Socket) => {
    if (sockets.size >= CONNECTIONS_MAX) socket.destroy();
    sockets.add(socket);
    tuneGc(sockets.size);
    socket.once("close", () => {
      sockets.delete(socket);
      tuneGc(sockets.size);
    });
  });

  const leave = (): void => {
    leaving = true;
    for (const session of sessions) session.close();
  };

  const finish = async (): Promise<void> => {
    leave();
    const force = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, FINISH_MS);
    const otherDoors = others.map(closed);
    // An answer that was under way leaves its connection open and idle.
    const sweep = setInterval(() => {
      (server as Server).closeIdleConnections();
    }, SWEEP_MS);
    await Promise.all([...otherDoors, closed(server as NetServer)]);
    clearTimeout(force);
    clearInterval(sweep);
  };

  return {
    leave,
    async listen(host, port, shared = false) {
      try {
        others = await listenTogether(server, { host, port, shared, halfOpen: tls === undefined });
      } catch (error) {
        throw unlistenable(error as NodeJS.ErrnoException, host, port);
      }
      const { address, family, port: actual } = server.address() as AddressInfo;
      return `${tls === undefined ? "http" : "https"}://${family === "IPv6" ? `[${address}]` : address}:${actual}`;
    },
    renew({ cert, key }) {
      secure?.setSecureContext({ cert, key, minVersion: TLS_OPTIONS.minVersion });
    },
    close() {
      closing ??= server.listening ? finish() : Promise.resolve();
      return closing;
    },
  };
}

function createTlsServer(
  { cert, key }: Tls,
  answer: Handle,
  Response: typeof ServerResponse,
  sessions: Set<ServerHttp2Session>,
): Http2SecureServer {
  // The compatibility API of HTTP/2 gives what HTTP/1.1 gives, but in classes of its own.
  const server = createSecureServer(
    { ...TLS_OPTIONS, cert, key, http1Options: { ServerResponse: Response } },
    answer as never,
  );
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.setTimeout(KEEP_ALIVE_MS, () => session.close());
  });
  return server;
}

/** Makes a request of HTTP/2 as bounded as one of HTTP/1.1, and named alike. */
function adaptHttp2(request: Http2ServerRequest): void {
  request.headers.host ??= request.authority;
  if (request.stream.endAfterHeaders) return;
  const late = setTimeout(() => request.stream.close(constants.NGHTTP2_CANCEL), REQUEST_MS);
  request.once("end", () => clearTimeout(late));
  request.stream.once("close", () => clearTimeout(late));
}

/** An HTTP/1 connection speaks HTTP/1.0 or 1.1. */
function refuseVersion(request: IncomingMessage, response: ServerResponse): void {
  response.shouldKeepAlive = false;
  sendAnswer(
    request,
    response,
    problemOf("MALFORMED", undefined, { detail: "This connection speaks HTTP/1.1" }),
  );
}

function unlistenable(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const reasons: Record<string, string> = {
    EADDRINUSE: `port ${port} of ${host} is taken by another program: stop it, or set PORT to a free one`,
    ENOTSUP: `this system does not let processes share port ${port}: leave PORT_SHARING off`,
    EACCES: `port ${port} needs rights this user does not have: set PORT to 1024 or above`,
    EADDRNOTAVAIL: `this machine has no address ${host}: set HOST to one of its own`,
  };
  return new Error(`The gateway cannot listen: ${reasons[error.code ?? ""] ?? error.message}`, {
    cause: error,
  });
}

/** What Node cannot parse never becomes a request; it gets a problem document all the same, and its connection is closed. */
function refuseUnreadable(
  error: NodeJS.ErrnoException,
  socket: Socket & { _parent?: Socket; encrypted?: boolean },
): void {
  // Plain HTTP where TLS is spoken: the answer goes to the connection under the broken handshake, which only this member names.
  const heard = error.code === "ERR_SSL_HTTP_REQUEST" ? socket._parent : socket;
  if (error.code === "ECONNRESET" || heard?.writable !== true) return void socket.destroy();
  const detail = heard === socket ? {} : { detail: "This port speaks HTTPS" };
  const { status, headers, body } = problemOf(
    error.code === "HPE_HEADER_OVERFLOW" ? "TOO_LARGE" : "MALFORMED",
    undefined,
    detail,
  );
  const hsts = heard === socket &&
    socket.encrypted === true && { "Strict-Transport-Security": HSTS_YEAR };
  const length = { "Content-Length": Buffer.byteLength(body) };
  const lines = Object.entries({
    ...SECURITY_HEADERS,
    ...hsts,
    ...headers,
    ...length,
    Connection: "close",
  });
  heard.end(
    `HTTP/1.1 ${status} ${status === 413 ? "Content Too Large" : "Bad Request"}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${String(body)}`,
  );
}
