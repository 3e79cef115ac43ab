import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { type BrotliOptions, brotliCompress, constants, gzip } from "node:zlib";
import { FifoMap } from "../../../lib/concurrency/fifo-map.ts";
import type { Reply } from "../../../lib/http/problem-details.ts";

/** Below this, headers weigh more than what is saved. */
const WORTH_BYTES = 1_024;
/** JSON shrinks to a fifth within a millisecond; the last percents would cost ten times that. */
const BROTLI: BrotliOptions = {
  params: {
    [constants.BROTLI_PARAM_QUALITY]: 4,
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
  },
};
const GZIP = { level: 4 };

export type Encoding = "br" | "gzip";

const encoders: Record<Encoding, (text: Uint8Array) => Promise<Uint8Array>> = {
  br: (text: Uint8Array) => promisify(brotliCompress)(text, BROTLI),
  gzip: (text: Uint8Array) => promisify(gzip)(text, GZIP),
};

/**
 * The reply as the client would rather have it. Only for what holds no secret: the length of a compressed answer betrays a secret beside which an
 * attacker can place text (BREACH). Works off the event loop.
 */
export async function compressed(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
): Promise<Reply> {
  response.appendHeader("Vary", "Accept-Encoding");
  if (reply.headers["Content-Encoding"] !== undefined) return reply;
  const encoding = encodingOf(request.headers["accept-encoding"], reply.body);
  if (encoding === undefined) return reply;
  const body = await encode(encoding, Buffer.from(reply.body));
  return { ...reply, headers: { ...reply.headers, "Content-Encoding": encoding }, body };
}

export function encode(encoding: Encoding, text: Uint8Array): Promise<Uint8Array> {
  return encoders[encoding](text);
}

/** How to compress this body, if it is worth the while: the better of what the client takes. */
export function encodingOf(
  accept: string | undefined,
  body: string | Uint8Array,
): Encoding | undefined {
  if (accept === undefined || body.length < WORTH_BYTES) return undefined;
  let taken = takenBy.get(accept);
  if (taken === undefined) {
    taken = takenFrom(accept);
    if (accept.length <= ACCEPT_KEPT_MAX) takenBy.set(accept, taken);
  }
  return taken[0];
}

/** Browsers write a handful of them. */
const takenBy = new FifoMap<string, readonly Encoding[]>(100);
const ACCEPT_KEPT_MAX = 200;

/** The encodings a client takes, the best first (RFC 9110, 12.5.3; a quality of 0 is a no, `*` stands for what is not named). */
function takenFrom(accept: string): Encoding[] {
  const taken = new Map<string, boolean>();
  for (const item of accept.toLowerCase().split(",")) {
    const [name = "", ...parameters] = item.split(";").map((part) => part.trim());
    taken.set(name, !parameters.some((parameter) => /^q=0(?:\.0{0,3})?$/.test(parameter)));
  }
  return (["br", "gzip"] as const).filter((name) => taken.get(name) ?? taken.get("*"));
}
