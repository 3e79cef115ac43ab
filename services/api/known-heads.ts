import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { BoundedMap } from "../../mixins/bounded-map.ts";
import { PlainResponse } from "./plain-response.ts";

/** Browsers write heads of 400 to 900 bytes. */
const LENGTH_MAX = 1_500;
const KNOWN_MAX = 5_000;
const HEAD_END = "\r\n\r\n";
const LETTER_G = 71;
/** Heads with these are one person's or one request's, or ask for more than an answer. */
const PERSONAL = ["authorization", "cookie", "x-request-id", "traceparent", "expect", "upgrade"];

type Handle = (request: IncomingMessage, response: ServerResponse) => void;
/** What a request's head said; with a socket it is the request again. */
type Head = { method: string; url: string; headers: IncomingHttpHeaders; httpVersionMajor: 1; complete: true; destroyed: false };

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
 * messages, would be parsed to the same: so it is not parsed, and `handle` gets what was read then, with an answer to be sent in one write. All else goes to
 * Node's parser, which also reads the first requests of each connection. For HTTP/1.1 without TLS.
 */
export class KnownHeads {
  readonly options: KnownHeadsOptions;
  readonly heads = new BoundedMap<string, Head>(KNOWN_MAX);
  /** How many requests that were read here have no answer yet. */
  underWay = 0;
  private readonly connections = new WeakMap<Socket, Connection>();

  constructor(options: KnownHeadsOptions) {
    this.options = options;
  }

  /** A request is begun that Node has parsed: its connection answers nothing from what is known until that one is answered. */
  began(request: IncomingMessage, response: ServerResponse): void {
    this.connections.get(request.socket)?.began(request, response);
  }

  /** The request, whose handler runs, is one whose answer is the same for everybody: its connection is listened to from now on, and its head learnt. */
  learn(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const connection = this.connections.get(socket);
    if (connection !== undefined) {
      connection.shared = request;
      return;
    }
    // Node's own listener, which hands to its parser what comes.
    const [parse, ...others] = socket.listeners("data") as ((chunk: Buffer) => void)[];
    if (parse === undefined || others.length > 0 || this.options.ending()) return;
    const followed = new Connection(this, socket, parse);
    this.connections.set(socket, followed);
    followed.began(request, response);
  }
}

class Connection {
  /** Of the chunk that is being parsed: the request whose answer is the same for everybody. */
  shared: IncomingMessage | undefined;
  /** Of the same: all requests that came of it. */
  private came: IncomingMessage[] = [];
  private readonly known: KnownHeads;
  private readonly socket: Socket;
  private readonly parse: (chunk: Buffer) => void;
  /** Requests that Node has parsed and that are not answered. */
  private parsed = 0;
  /** Node's parser has read whole messages, and nothing of the next. */
  private between = false;
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
    const text = chunk.length <= LENGTH_MAX && chunk[0] === LETTER_G ? chunk.toString("latin1") : "";
    const { heads, options } = this.known;
    const head = this.between && this.parsed === 0 && !options.ending() ? heads.get(text) : undefined;
    if (head === undefined) this.toParser(chunk, text);
    else this.answer(head);
  }

  private toParser(chunk: Buffer, text: string): void {
    const { between } = this;
    this.came = [];
    this.shared = undefined;
    this.between = false;
    this.parse.call(this.socket, chunk);
    const [request, another] = this.came;
    this.came = [];
    // One head, and one whole request of it: whatever went before, the parser is between two messages now.
    if (request?.complete !== true || another !== undefined || text.indexOf(HEAD_END) !== text.length - HEAD_END.length) return;
    this.between = true;
    if (between && request === this.shared && isForAll(request)) this.known.heads.set(text, headOf(request));
  }

  private answer(head: Head): void {
    const { options } = this.known;
    this.answering = true;
    this.known.underWay += 1;
    const response = new PlainResponse(this.socket, options.keepAliveS, options.ending, () => this.answered());
    options.handle({ ...head, socket: this.socket } as unknown as IncomingMessage, response as unknown as ServerResponse);
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

function isForAll({ method, headers, httpVersion }: IncomingMessage): boolean {
  const keeps = headers.connection === undefined || headers.connection.toLowerCase() === "keep-alive";
  return method === "GET" && httpVersion === "1.1" && keeps && PERSONAL.every((name) => headers[name] === undefined);
}

function headOf({ method = "", url = "", headers }: IncomingMessage): Head {
  return { method, url, headers, httpVersionMajor: 1, complete: true, destroyed: false };
}
