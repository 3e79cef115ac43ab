import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { type BrotliOptions, brotliCompress, constants, gzip } from "node:zlib";
import { LRUCache } from "lru-cache";
import type { Reply } from "../../../lib/http/problem-details.ts";

/** Smaller bodies are not compressed: the headers weigh more than the gain. */
const COMPRESSED_BYTES_MIN = 1_024;
/** Quality 4 compresses JSON to a fifth within a millisecond. Higher levels cost ten times that. */
const BROTLI: BrotliOptions = {
  params: {
    [constants.BROTLI_PARAM_QUALITY]: 4,
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
  },
};
const GZIP = { level: 4 };

export type Encoding = "br" | "gzip";

const encoders: Record<Encoding, (bytes: Uint8Array) => Promise<Uint8Array>> = {
  br: (bytes) => promisify(brotliCompress)(bytes, BROTLI),
  gzip: (bytes) => promisify(gzip)(bytes, GZIP),
};

/**
 * Compresses a reply if the client accepts it. Only for bodies without a secret: the length of a
 * compressed body reveals a secret beside text that an attacker chooses (BREACH). Runs off the
 * event loop.
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

export function encode(encoding: Encoding, bytes: Uint8Array): Promise<Uint8Array> {
  return encoders[encoding](bytes);
}

/** The best encoding that the client accepts; undefined if the body is sent as it is. */
export function encodingOf(
  accept: string | undefined,
  body: string | Uint8Array,
): Encoding | undefined {
  if (accept === undefined || body.length < COMPRESSED_BYTES_MIN) return undefined;
  let encodings = encodingsByHeader.get(accept);
  if (encodings === undefined) {
    encodings = acceptedEncodings(accept);
    if (accept.length <= HEADER_LENGTH_MAX) encodingsByHeader.set(accept, encodings);
  }
  return encodings[0];
}

/** Browsers send a handful of different headers. */
const encodingsByHeader = new LRUCache<string, readonly Encoding[]>({ max: 100 });
const HEADER_LENGTH_MAX = 200;

/** Reads Accept-Encoding (RFC 9110, 12.5.3): q=0 refuses, `*` covers what is not named. */
function acceptedEncodings(accept: string): Encoding[] {
  const byName = new Map<string, boolean>();
  for (const item of accept.toLowerCase().split(",")) {
    const [name = "", ...parameters] = item.split(";").map((part) => part.trim());
    byName.set(name, !parameters.some((parameter) => /^q=0(?:\.0{0,3})?$/.test(parameter)));
  }
  return (["br", "gzip"] as const).filter((name) => byName.get(name) ?? byName.get("*"));
}

/** Says whether the client has these bytes already (RFC 9110, 13.1.2; weak comparison). */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const opaque = (tag: string): string => tag.trim().replace(/^W\//, "");
  return ifNoneMatch.split(",").some((tag) => tag.trim() === "*" || opaque(tag) === opaque(etag));
}
