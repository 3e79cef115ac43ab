import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { isUtf8 } from "node:buffer";
import type { ProblemCode } from "../../../lib/http/problem-details.ts";
import { type Broken, plainName } from "./schema-validator.ts";

export const BODY_MAX = 65_536;
/** Bytes read and dropped beyond the limit, so that a client still sending gets the refusal. */
const DISCARDED_MAX = 16 * BODY_MAX;

export type Body =
  { ok: true; value: unknown } | { ok: false; code: ProblemCode; broken?: Broken[] };

/**
 * Reads a JSON body of at most 64 KiB. Without a body the value is `undefined`, and no promise.
 * Can refuse with: TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, MALFORMED, VALIDATION_ERROR (a repeated
 * member). Rejects if the client leaves.
 */
export function readBody(request: IncomingMessage): Body | Promise<Body> {
  const { headers } = request;
  const length = headers["content-length"];
  if (length === "0" || (length === undefined && !hasUnmeasuredBody(request)))
    return { ok: true, value: undefined };
  return collect(request, Number(length ?? 0)).then((bytes) =>
    bytes === undefined ? { ok: false, code: "TOO_LARGE" } : parseJson(headers, bytes),
  );
}

function parseJson(headers: IncomingHttpHeaders, sent: Buffer): Body {
  if (sent.length === 0) return { ok: true, value: undefined };
  if (
    !isJson(headers["content-type"]) ||
    (headers["content-encoding"] ?? "identity") !== "identity"
  )
    return { ok: false, code: "UNSUPPORTED_MEDIA_TYPE" };
  if (!isUtf8(sent)) return { ok: false, code: "MALFORMED" };
  const text = sent.toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, code: "MALFORMED" };
  }
  const repeated = repeatedMember(text);
  if (repeated !== undefined)
    return {
      ok: false,
      code: "VALIDATION_ERROR",
      broken: [{ field: plainName(repeated), rule: "duplicate" }],
    };
  return { ok: true, value };
}

/** HTTP/2 has no transfer encoding: a request has a body if its headers do not end the stream. */
function hasUnmeasuredBody(request: IncomingMessage): boolean {
  const { stream } = request as unknown as Partial<Http2ServerRequest>;
  if (stream !== undefined) return !stream.endAfterHeaders;
  return request.headers["transfer-encoding"] !== undefined;
}

/** Undefined if there are more bytes than allowed. */
async function collect(
  request: IncomingMessage,
  announcedBytes: number,
): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] | undefined = announcedBytes > BODY_MAX ? undefined : [];
    let size = 0;
    if (chunks === undefined) resolve(undefined);
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= BODY_MAX) chunks?.push(chunk);
      else {
        chunks = undefined;
        resolve(undefined);
        if (size > DISCARDED_MAX) request.destroy();
      }
    });
    request.on("end", () =>
      resolve(chunks?.length === 1 ? chunks[0] : chunks && Buffer.concat(chunks)),
    );
    request.on("close", () => {
      if (!request.readableEnded) reject(new Error("The client left while it was sending"));
    });
  });
}

export function isJson(contentType: string | undefined): boolean {
  if (contentType === "application/json") return true;
  return (
    contentType !== undefined &&
    /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?;?\s*$/i.test(contentType)
  );
}

/**
 * Finds the first repeated member of the outermost object; JSON.parse would keep the last one.
 * Deeper objects are rejected by the schemas, which are flat.
 */
function repeatedMember(text: string): string | undefined {
  if (text.indexOf(":") === text.lastIndexOf(":")) return undefined;
  const seen = new Set<string>();
  let depth = 0;
  let latest = "";
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}:]/g)) {
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    else if (token !== ":") latest = token;
    else if (depth === 1) {
      const name = JSON.parse(latest) as string;
      if (seen.has(name)) return name;
      seen.add(name);
    }
  }
  return undefined;
}
