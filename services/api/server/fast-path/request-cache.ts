import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { BoundedMap } from "../../../../lib/concurrency/fifo-map.ts";
import type { WithBody } from "../../routing/parse-body.ts";
import { isOwnOf, shapeOf } from "./request-template.ts";
import { PlainResponse } from "./raw-response.ts";

/** Browsers write heads of 400 to 900 bytes, and a purchase's token is as long again. */
const LENGTH_MAX = 2_000;
const KNOWN_MAX = 5_000;
const HEAD_END = "\r\n\r\n";
const [LETTER_G, LETTER_P] = [71, 80];
/** Requests with these are one person's or one request's, or ask for more than an answer. */
const PERSONAL = ["cookie", "traceparent", "expect", "upgrade", "transfer-encoding"];
/** So are GETs with these; a POST's are what its shape leaves out. */
const PERSONAL_GET = ["authorization", "x-request-id"];

type Handle = (request: IncomingMessage, response: ServerResponse) => void;
/** What a head said that Node has parsed; of a POST without its own headers, with their number and the length of its body. */
type Learnt = { method: string; url: string; headers: IncomingHttpHeaders; own: number; bodyLength: number };
/** What a request says; with a socket it is the request. */
type Said = Pick<Learnt, "method" | "url" | "headers"> & WithBody;

const ASCII = /^[\0-\x7f]*$/;

export type KnownHeadsOptions = {
  handle: Handle;
  /** What answers say of how long their connections are kept. */
  keepAliveS: number;
  /** Whether answers are to end their connections; then all goes to Node's parser. */
  ending: () => boolean;
};

/**
 * Reads requests by their bytes. In a rush the same few thousand heads come again and again, and to parse one, with the objects that Node makes of it and of
 * its answer, costs more than the answer. A head whose bytes are those of a GET that Node has parsed before, alone and at the same place, between two
 * messages, would be parsed to the same: so it is not parsed, and `handle` gets what was read then, with an answer to be sent in one write. A purchase is
 * known by its head's shape (`head-shape.ts`), and has its body at hand. All else goes to Node's parser. For HTTP/1.1 without TLS.
 */
export class KnownHeads {
  readonly options: KnownHeadsOptions;
  private readonly heads = new BoundedMap<string, Learnt>(KNOWN_MAX);
  /** How many requests that were read here have no answer yet. */
  underWay = 0;
  private readonly connections = new Map<Socket, Connection>();

  constructor(options: KnownHeadsOptions) {
    this.options = options;
  }

  /** A request is begun that Node has parsed: its connection answers nothing from what is known until that one is answered. */
  began(request: IncomingMessage, response: ServerResponse): void {
    this.connections.get(request.socket)?.began(request, response);
  }

  /** A connection that Node's server has just been given, and of which nothing is read yet. */
  follow(socket: Socket): void {
    // Node's own listener, which hands to its parser what comes.
    const [parse, ...others] = socket.listeners("data") as ((chunk: Buffer) => void)[];
    if (parse === undefined || others.length > 0) return;
    this.connections.set(socket, new Connection(this, socket, parse));
    socket.once("close", () => this.connections.delete(socket));
  }

  /** The request, whose handler runs, is one of many alike: its head is worth being learnt. */
  learn(request: IncomingMessage): void {
    const connection = this.connections.get(request.socket);
    if (connection !== undefined) connection.worthwhile = request;
  }

  /** Ends the connections that are idle and that Node's `closeIdleConnections` does not take for idle. */
  closeIdle(): void {
    for (const connection of this.connections.values()) connection.closeIdle();
  }

  /** Whether Node is wrong to take this connection for one that sends its head too slowly. */
  isMistaken(error: NodeJS.ErrnoException, socket: Socket): boolean {
    return error.code === "ERR_HTTP_REQUEST_TIMEOUT" && this.connections.get(socket)?.keeper === "us";
  }

  /** The request in this text, which is its bytes in Latin-1, if its head is known. */
  find(text: string): Said | undefined {
    if (text.charCodeAt(0) === LETTER_G) return this.heads.get(text);
    const shape = shapeOf(text);
    const learnt = shape && this.heads.get(shape.text);
    if (learnt === undefined || learnt.own !== shape?.own.length) return undefined;
    const wholeBody = text.slice(shape.bodyAt);
    if (wholeBody.length !== learnt.bodyLength || !ASCII.test(wholeBody)) return undefined;
    const headers = { ...learnt.headers };
    for (const [name, value] of shape.own) headers[name] = value;
    return { method: learnt.method, url: shape.url, headers, wholeBody };
  }

  /** Keeps what Node has parsed from just this text, where others send the like. */
  note(text: string, bodyLength: number, { method = "", url = "", headers, httpVersion }: IncomingMessage): void {
    const keeps = headers.connection === undefined || headers.connection.toLowerCase() === "keep-alive";
    const hasOne = (names: readonly string[]): boolean => names.some((name) => headers[name] !== undefined);
    if (httpVersion !== "1.1" || !keeps || hasOne(PERSONAL)) return;
    if (method === "GET" && bodyLength === 0 && !hasOne(PERSONAL_GET)) this.heads.set(text, { method, url, headers, own: 0, bodyLength });
    const shape = method === "POST" ? shapeOf(text) : undefined;
    if (shape?.url !== url || !isOwnOf(headers, shape)) return;
    const own = new Set<string>(shape.own.map(([name]) => name));
    const common = Object.fromEntries(Object.entries(headers).filter(([name]) => !own.has(name)));
    this.heads.set(shape.text, { method, url: "", headers: common, own: shape.own.length, bodyLength });
  }
}

class Connection {
  /**
   * Who ends it when it is idle: we, as long as Node's parser has had nothing of all that was asked; undefined while nothing has been asked, which Node
   * does not put up with for long.
   */
  keeper: "us" | "Node" | undefined;
  /** Of the chunk that is being parsed: the request whose head is worth being learnt. */
  worthwhile: IncomingMessage | undefined;
  /** Of the same: all requests that came of it. */
  private came: IncomingMessage[] = [];
  private readonly known: KnownHeads;
  private readonly socket: Socket;
  private readonly parse: (chunk: Buffer) => void;
  /** Requests that Node has parsed and that are not answered. */
  private parsed = 0;
  /** Node's parser has read whole messages, and nothing of the next. */
  private between = true;
  /** An answer of ours is under way, and what comes meanwhile waits. */
  private answering = false;
  private readonly held: Buffer[] = [];
  private paused = false;

  constructor(known: KnownHeads, socket: Socket, parse: (chunk: Buffer) => void) {
    this.known = known;
    this.socket = socket;
    this.parse = parse;
    socket.on("data", (chunk: Buffer) => this.hear(chunk));
    socket.removeListener("data", parse);
    socket.once("close", () => this.goOn());
  }

  closeIdle(): void {
    if (this.keeper === "us" && !this.answering) this.socket.destroy();
  }

  began(request: IncomingMessage, response: ServerResponse): void {
    this.parsed += 1;
    this.came.push(request);
    response.once("close", () => (this.parsed -= 1));
  }

  private hear(chunk: Buffer): void {
    if (this.answering) {
      this.held.push(chunk);
      this.paused = true;
      this.socket.pause();
      return;
    }
    const text = chunk.length <= LENGTH_MAX && (chunk[0] === LETTER_G || chunk[0] === LETTER_P) ? chunk.toString("latin1") : "";
    const ready = text !== "" && this.between && this.parsed === 0 && !this.known.options.ending();
    const request = ready ? this.known.find(text) : undefined;
    if (request === undefined) this.toParser(chunk, text);
    else this.answer(request);
  }

  private toParser(chunk: Buffer, text: string): void {
    const { between } = this;
    // Node sets its own time with its answer.
    if (this.keeper === "us") this.socket.setTimeout(0);
    this.keeper = "Node";
    this.came = [];
    this.worthwhile = undefined;
    this.between = false;
    this.parse.call(this.socket, chunk);
    const [request, another] = this.came;
    this.came = [];
    const headEnd = text.indexOf(HEAD_END);
    if (request?.complete !== true || another !== undefined || headEnd === -1) return;
    // One whole request came of it. Its head ends where the first one here does, or later; so if as much as its body follows there, both end with the chunk.
    // Whatever went before, the parser is between two messages now.
    const bodyLength = text.length - headEnd - HEAD_END.length;
    if (bodyLength > 0 && request.headers["content-length"] !== String(bodyLength)) return;
    this.between = true;
    if (between && request === this.worthwhile) this.known.note(text, bodyLength, request);
  }

  private answer({ method, url, headers, wholeBody }: Said): void {
    const { socket } = this;
    const { options } = this.known;
    this.answering = true;
    this.known.underWay += 1;
    if (this.keeper === undefined) {
      this.keeper = "us";
      socket.setTimeout((options.keepAliveS + 1) * 1_000);
    }
    const request = { method, url, headers, wholeBody, socket, httpVersionMajor: 1, complete: true, destroyed: false };
    const response = new PlainResponse(socket, options.keepAliveS, options.ending, () => this.answered());
    options.handle(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  }

  private answered(): void {
    // Who asks without reading what is answered waits until it is taken.
    if (this.socket.writableNeedDrain) this.socket.once("drain", () => this.goOn());
    else this.goOn();
  }

  private goOn(): void {
    if (!this.answering) return;
    this.answering = false;
    this.known.underWay -= 1;
    // Of who has left nothing is heard any more: Node gives the parser of a closed connection to the next that is opened.
    if (this.socket.destroyed) this.held.length = 0;
    for (let chunk = this.held.shift(); chunk !== undefined; chunk = this.answering ? undefined : this.held.shift()) this.hear(chunk);
    if (this.answering || !this.paused) return;
    this.paused = false;
    this.socket.resume();
  }
}
