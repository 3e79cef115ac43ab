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
import {
  type ProblemCode,
  type Reply,
  problemOf,
  sendAnswer,
} from "../../../lib/http/problem-details.ts";
import { connectionsMax } from "./connections-max.ts";
import { createConnections } from "./connections.ts";
import { closed, listenTogether } from "./multi-listener.ts";
import { HSTS_YEAR, answerRaw } from "./raw-answer.ts";
import { checkHead } from "./request-head.ts";

/** Connections above the most that get an answer at once: 503. Further ones are closed unheard. */
const REFUSED_AT_ONCE = 32;
/** Time in which such a connection can send a request and read the answer. */
const REFUSED_WITHIN_MS = 1_000;
/** Time that open requests get when the gateway stops. */
const FINISH_MS = 5_000;
const SWEEP_MS = 50;
const HEADER_BYTES_MAX = 16_384;
/** Time for a whole request: 64 KiB at most, from a slow phone. */
const REQUEST_MS = 10_000;
/** Must exceed a proxy's 60 s idle time-out; else we close connections it is about to reuse. */
const KEEP_ALIVE_MS = 65_000;
const ALLOW = "GET, HEAD, POST, DELETE, OPTIONS";

const OPTIONS: ServerOptions = {
  maxHeaderSize: HEADER_BYTES_MAX,
  headersTimeout: REQUEST_MS,
  requestTimeout: REQUEST_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  connectionsCheckingInterval: 500,
  // checkHead does it, with a problem document.
  requireHostHeader: false,
  noDelay: true,
};

/** HTTP/2 for clients that negotiate it, HTTP/1.1 for all others. */
const TLS_OPTIONS = {
  ...OPTIONS,
  allowHTTP1: true,
  minVersion: "TLSv1.2",
  handshakeTimeout: REQUEST_MS,
  settings: { enablePush: false, maxConcurrentStreams: 128, maxHeaderListSize: HEADER_BYTES_MAX },
} as const;

/** The content of the certificate's files, and their paths for `followCertificate`. */
export type Tls = { cert: string; key: string; certFile: string; keyFile: string };

export type GatewayServer = {
  /**
   * Listens and returns the address for people: http://127.0.0.1:3000. `shared`: the port may be
   * shared with other processes. Rejects if the port cannot be had.
   */
  listen(host: string, port: number, shared?: boolean): Promise<string>;
  /** Uses this certificate for new connections. Open ones keep theirs. */
  renew(tls: Tls): void;
  /** Keeps serving, and closes each connection with its next response (HTTP/2: at once). */
  leave(): void;
  /** Stops accepting, finishes open requests, then closes. May be called again. */
  close(): Promise<void>;
};

/** `stuckMs`: nothing read or written. `quietMs`: no request, whatever else is sent. */
type Waits = { stuckMs: number; quietMs: number };
/** Stuck: above the heartbeat of a stream. Quiet: above the wait for a request's head. */
const WAITS: Waits = { stuckMs: 30_000, quietMs: KEEP_ALIVE_MS + REQUEST_MS };

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Creates the HTTP server of the gateway: bounded headers, time-outs and connections (`most`). With
 * a certificate it has TLS 1.2 or later and HTTP/2. moleculer-web's own server has none of these
 * options, no backlog and one listener, so the gateway runs moleculer-web without a server.
 */
export function createGatewayServer(
  tls: Tls | undefined,
  handle: Handle,
  { stuckMs, quietMs }: Waits = WAITS,
  most = connectionsMax(),
): GatewayServer {
  let closing: Promise<void> | undefined;
  let leaving = false;
  /** Reads `leaving` when headers are written, so that open requests end their connection, too. */
  class Response<
    Request extends IncomingMessage = IncomingMessage,
  > extends ServerResponse<Request> {
    override writeHead(...args: unknown[]): this {
      if (leaving) this.shouldKeepAlive = false;
      return super.writeHead(...(args as [number]));
    }
  }
  const answer: Handle = (request, response) => {
    if ("stream" in request) boundHttp2(request as unknown as Http2ServerRequest);
    else connections.began(request, response);
    const detail = checkHead(request);
    if (crowded.has(request.socket))
      refuse(request, response, problemOf(codeOf(request), undefined));
    else if (detail !== undefined)
      refuse(request, response, problemOf("MALFORMED", undefined, { detail }));
    else if (request.url === "*") answerEarly(request, response, SERVER_OPTIONS);
    else handle(request, response);
  };
  /** Open connections; with TLS the raw sockets below it. */
  const sockets = new Set<Socket>();
  const crowded = new WeakSet<Socket>();
  /** Answers its first request by 503. With TLS the handshake would cost more than that. */
  const refuseSoon = (socket: Socket): void => {
    if (tls !== undefined || sockets.size >= most + REFUSED_AT_ONCE) return void socket.destroy();
    crowded.add(socket);
    setTimeout(() => socket.destroy(), REFUSED_WITHIN_MS).unref();
  };
  const socketOfPeer = new Map<string, Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const connections = createConnections(quietMs);
  const secure = tls === undefined ? undefined : createTlsServer(tls, answer, Response, sessions);
  const server: Server | Http2SecureServer =
    secure ?? createServer({ ...OPTIONS, ServerResponse: Response }, answer);
  let others: readonly NetServer[] = [];
  server.setTimeout(stuckMs);
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    // The handshake failed on plain HTTP, so the answer goes to the socket below TLS.
    if (error.code === "ERR_SSL_HTTP_REQUEST")
      refuseUnreadable(error, socketOfPeer.get(peerOf(socket)), "This port speaks HTTPS");
    // Its request has a refusal, which closes the connection. Another would answer no request.
    else if (REFUSED.has(socket)) return;
    // Earlier requests of the connection get their answers first.
    else connections.whenAnswered(socket, () => refuseUnreadable(error, socket));
  });
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) =>
    refuse(request, response, problemOf("EXPECTATION_FAILED", undefined)),
  );
  server.on("connect", (request: IncomingMessage, to: Socket | ServerResponse) => {
    const { headers, ...rest } = problemOf("METHOD_NOT_ALLOWED", undefined);
    const reply = { ...rest, headers: { ...headers, Allow: ALLOW } };
    if ("writeHead" in to) refuse(request, to, reply);
    else {
      // Node has taken its own listener away, and an earlier answer may meet a reset.
      to.on("error", () => to.destroy());
      connections.whenAnswered(to, () => answerRaw(to, reply));
    }
  });
  server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) =>
    connections.add(socket),
  );
  server.on("connection", (socket: Socket) => {
    if (sockets.size >= most) refuseSoon(socket);
    sockets.add(socket);
    tuneGc(sockets.size);
    const peer = tls === undefined ? undefined : peerOf(socket);
    if (peer !== undefined) socketOfPeer.set(peer, socket);
    socket.once("close", () => {
      sockets.delete(socket);
      if (peer !== undefined && socketOfPeer.get(peer) === socket) socketOfPeer.delete(peer);
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
    const otherListeners = others.map(closed);
    // A response that was open leaves its connection open and idle.
    const sweep = setInterval(() => {
      (server as Server).closeIdleConnections();
    }, SWEEP_MS);
    await Promise.all([...otherListeners, closed(server as NetServer)]);
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
      const name = family === "IPv6" ? `[${address}]` : address;
      return `${tls === undefined ? "http" : "https"}://${name}:${actual}`;
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
  // The compatibility API of HTTP/2 has the interface of HTTP/1.1, in classes of its own.
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

/** Gives an HTTP/2 request the time-out of HTTP/1.1. */
function boundHttp2(request: Http2ServerRequest): void {
  if (request.stream.endAfterHeaders) return;
  const late = setTimeout(() => request.stream.close(constants.NGHTTP2_CANCEL), REQUEST_MS);
  request.once("end", () => clearTimeout(late));
  request.stream.once("close", () => clearTimeout(late));
}

/** The answer to `OPTIONS *`. */
const SERVER_OPTIONS: Reply = { status: 204, headers: { Allow: ALLOW }, body: "" };

/** What a full gateway answers. It has not looked whether a purchase's key is sold: ADR-0059. */
function codeOf({ method }: IncomingMessage): ProblemCode {
  return method === "GET" || method === "HEAD" ? "TRY_AGAIN" : "OUTCOME_UNKNOWN";
}

/** Connections that a refusal closes. Node may still find that it cannot read what follows. */
const REFUSED = new WeakSet<object>();

/** Answers before any route, and closes the connection: what follows may be a body. */
function refuse(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  REFUSED.add(request.socket);
  response.shouldKeepAlive = false;
  answerEarly(request, response, reply);
}

function answerEarly(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  const isTls = "encrypted" in request.socket;
  sendAnswer(request, response, reply, isTls ? { "Strict-Transport-Security": HSTS_YEAR } : {});
}

function unlistenable(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const reasons: Record<string, string> = {
    EADDRINUSE:
      `port ${port} of ${host} is taken by another program: ` +
      "stop it, or set PORT to a free one",
    ENOTSUP: `this system does not let processes share port ${port}: leave PORT_SHARING off`,
    EACCES: `port ${port} needs rights this user does not have: set PORT to 1024 or above`,
    EADDRNOTAVAIL: `this machine has no address ${host}: set HOST to one of its own`,
  };
  return new Error(`The gateway cannot listen: ${reasons[error.code ?? ""] ?? error.message}`, {
    cause: error,
  });
}

/** Names a connection by both ends. A TLS socket and the raw socket below it have the same name. */
function peerOf({ localAddress, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${remoteAddress} ${remotePort}`;
}

/** Answers bytes that are no HTTP request with a problem document, and closes the connection. */
function refuseUnreadable(
  error: NodeJS.ErrnoException,
  socket: Socket | undefined,
  detail?: string,
): void {
  if (error.code === "ECONNRESET" || socket?.writable !== true) return void socket?.destroy();
  const code: ProblemCode = error.code === "HPE_HEADER_OVERFLOW" ? "TOO_LARGE" : "MALFORMED";
  answerRaw(socket, problemOf(code, undefined, detail === undefined ? {} : { detail }));
}
