import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { ProblemCode } from "../../../lib/http/problem-details.ts";
import { randomId } from "../../../lib/ids.ts";
import type { CompiledRoute } from "./compile-route.ts";
import type { Input } from "./route.ts";
import { type Broken, plainName } from "./schema-validator.ts";

const BODY_MAX = 65_536;
/** Bytes read and dropped beyond the limit, so that a client still sending gets the refusal. */
const DISCARDED_MAX = 16 * BODY_MAX;

type Body = { ok: true; value: unknown } | { ok: false; code: ProblemCode; broken?: Broken[] };

export type ReadInput =
  | { ok: true; input: Omit<Input, "idempotencyKey" | "client"> }
  | { ok: false; code: ProblemCode; broken?: Broken[]; detail?: string };

/**
 * Reads and validates a request: path parameters, query, idempotency key, then the body. A promise
 * only if there is a body.
 * Can refuse with: MALFORMED, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, VALIDATION_ERROR. Rejects if the
 * client leaves.
 */
export function readInput(
  request: IncomingMessage,
  route: CompiledRoute,
  params: Record<string, string>,
  queryText: string,
): ReadInput | Promise<ReadInput> {
  const { validators } = route;
  const broken: Broken[] = validators.params?.broken(params) ?? [];
  for (const id of validators.params?.ids ?? []) params[id] = (params[id] ?? "").toLowerCase();

  let query: Record<string, unknown> = {};
  if (validators.query !== undefined && (queryText !== "" || route.query !== undefined)) {
    const read = readQuery(queryText, validators.query.integers);
    if (read.ok) broken.push(...validators.query.broken((query = read.values)));
    else if (read.malformed) return { ok: false, code: "MALFORMED" };
    else broken.push(...read.broken);
  }

  const key = route.idempotent ? clientKey(request) : undefined;
  if (key === null) broken.push({ field: "Idempotency-Key", rule: "pattern" });
  if (broken.length > 0)
    return {
      ok: false,
      code: "VALIDATION_ERROR",
      broken,
      ...(key === null && { detail: KEY_RULE }),
    };

  if (route.body === undefined || validators.body === undefined)
    return { ok: true, input: { params, query, body: {} } };
  const { required } = route.body;
  const { body: rules } = validators;
  const validated = (read: Body): ReadInput => {
    if (!read.ok) return read;
    const type = request.headers["content-type"];
    if (route.cookie && type !== undefined && !isJson(type))
      return { ok: false, code: "UNSUPPORTED_MEDIA_TYPE" };
    if (read.value === undefined && required)
      return { ok: false, code: "VALIDATION_ERROR", broken: [{ field: "", rule: "required" }] };
    const body = read.value === undefined ? {} : read.value;
    const brokenRules = rules.broken(body);
    if (brokenRules.length > 0) return { ok: false, code: "VALIDATION_ERROR", broken: brokenRules };
    return { ok: true, input: { params, query, body: body as Record<string, unknown> } };
  };
  const body = readBody(request);
  return body instanceof Promise ? body.then(validated) : validated(body);
}

/** The idempotency key of the response: the client's if it is valid, else a new one. */
export function answeredKey(request: IncomingMessage): string {
  return clientKey(request) ?? randomId();
}

const KEY_RULE = "An Idempotency-Key has 1 to 255 printable ASCII characters.";

/**
 * Other characters than ASCII reach the engine differently through proxies and clients, so that a
 * retry could have another key. `undefined`: none was sent. `null`: it is not valid.
 */
function clientKey(request: IncomingMessage): string | undefined | null {
  const key = request.headers["idempotency-key"];
  if (key === undefined) return undefined;
  return typeof key === "string" && /^[\x20-\x7e]{1,255}$/.test(key) ? key : null;
}

type Query =
  | { ok: true; values: Record<string, unknown> }
  | { ok: false; malformed: true }
  | { ok: false; malformed: false; broken: Broken[] };

/**
 * Parses the text behind `?`. Rejects what URLSearchParams repairs silently: repeated names, broken
 * percent-encoding, invalid UTF-8. Parses digits as numbers for the names in `integers`.
 */
function readQuery(text: string, integers: ReadonlySet<string>): Query {
  const values = Object.create(null) as Record<string, unknown>;
  const broken: Broken[] = [];
  if (text === "") return { ok: true, values };
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? "" : decode(pair.slice(equals + 1));
    if (name === undefined || value === undefined) return { ok: false, malformed: true };
    if (name in values) broken.push({ field: plainName(name), rule: "duplicate" });
    values[name] = integers.has(name) && /^\d{1,15}$/.test(value) ? Number(value) : value;
  }
  return broken.length > 0 ? { ok: false, malformed: false, broken } : { ok: true, values };
}

function decode(text: string): string | undefined {
  if (!text.includes("%") && !text.includes("+")) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/**
 * Reads a JSON body of at most 64 KiB. Without a body the value is `undefined`, and no promise.
 * Can refuse with: TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, MALFORMED, VALIDATION_ERROR (a repeated
 * member). Rejects if the client leaves.
 */
function readBody(request: IncomingMessage): Body | Promise<Body> {
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

function isJson(contentType: string | undefined): boolean {
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
