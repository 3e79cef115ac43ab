import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { type SpelledSender, linesOf } from "../../../../lib/http/problem-details.ts";

type Value = string | number | readonly string[];

let date = { second: 0, text: "" };

/** An HTTP/1.1 answer on a connection that goes on, sent in one write: as much of ServerResponse as requests that are read by their bytes need. */
export class PlainResponse implements SpelledSender {
  statusCode = 200;
  headersSent = false;
  private readonly socket: Socket;
  private readonly keepAliveS: number;
  private readonly ending: () => boolean;
  private readonly done: () => void;
  private headers: Record<string, Value> | undefined;

  /** `ending`: whether the connection is to end with this answer, asked when its head is written. `done`: called when it is sent, once. */
  constructor(socket: Socket, keepAliveS: number, ending: () => boolean, done: () => void) {
    this.socket = socket;
    this.keepAliveS = keepAliveS;
    this.ending = ending;
    this.done = done;
  }

  setHeader(name: string, value: Value): this {
    this.headers = { ...this.headers, [name]: value };
    return this;
  }

  getHeader(name: string): Value | undefined {
    return this.headers?.[name];
  }

  writeHead(statusCode: number, headers: Record<string, Value>): this {
    this.statusCode = statusCode;
    this.headersSent = true;
    this.headers = this.headers === undefined ? headers : { ...this.headers, ...headers };
    return this;
  }

  /** Text is taken as `encoding` says, bytes as they are. */
  end(body: string | Uint8Array = "", encoding: BufferEncoding = "utf8"): this {
    const last = this.ending();
    this.send(last, joined(`${this.head(last)}\r\n`, body, encoding));
    return this;
  }

  sendSpelled(statusCode: number, own: Record<string, string>, rest: string | Uint8Array, encoding: "latin1" | "utf8"): void {
    this.writeHead(statusCode, own);
    const last = this.ending();
    this.send(last, joined(this.head(last), rest, encoding));
  }

  private send(last: boolean, [bytes, spelling]: ReturnType<typeof joined>): void {
    // Who has left needs none.
    if (this.socket.writable) this.socket[last ? "end" : "write"](bytes, spelling);
    this.done();
  }

  /** Its lines, without the empty one at the end. */
  private head(last: boolean): string {
    const status = `HTTP/1.1 ${this.statusCode} ${STATUS_CODES[this.statusCode] ?? "unknown"}\r\n`;
    const connection = last ? "Connection: close" : `Connection: keep-alive\r\nKeep-Alive: timeout=${this.keepAliveS}`;
    return `${status}${linesOf(this.headers ?? {})}Date: ${dateNow()}\r\n${connection}\r\n`;
  }
}

/** Text of one byte a character needs no buffer: Latin-1 spells each byte as it is. */
function joined(head: string, body: string | Uint8Array, encoding: BufferEncoding): [bytes: string | Uint8Array, encoding?: "latin1"] {
  const length = typeof body === "string" ? Buffer.byteLength(body, encoding) : body.length;
  if (typeof body === "string" && (encoding === "latin1" || length === body.length)) return [head + body, "latin1"];
  const bytes = Buffer.allocUnsafe(head.length + length);
  bytes.write(head, 0, "latin1");
  if (typeof body === "string") bytes.write(body, head.length, encoding);
  else bytes.set(body, head.length);
  return [bytes];
}

/** As RFC 9110, 5.6.7 has it, put together once a second. */
function dateNow(): string {
  const second = Math.floor(Date.now() / 1_000);
  if (date.second !== second) date = { second, text: new Date(second * 1_000).toUTCString() };
  return date.text;
}
