import type { IncomingMessage } from "node:http";
import type { ProblemCode } from "../../../lib/http/problem-details.ts";
import { randomId } from "../../../lib/ids/random-id.ts";
import type { CompiledRoute } from "./compile-route.ts";
import { type Body, isJson, readBody } from "./parse-body.ts";
import type { Input } from "./route.ts";
import { type Broken, plainName } from "./schema-validator.ts";

export type ReadInput =
  | { ok: true; input: Omit<Input, "idempotencyKey" | "client"> }
  | { ok: false; code: ProblemCode; broken?: Broken[] };

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
  if (broken.length > 0) return { ok: false, code: "VALIDATION_ERROR", broken };

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

/** 1 to 255 printable characters. `undefined`: none was sent. `null`: it is not valid. */
function clientKey(request: IncomingMessage): string | undefined | null {
  const key = request.headers["idempotency-key"];
  if (key === undefined) return undefined;
  return typeof key === "string" && /^[\x20-\x7e\xa0-\xff]{1,255}$/.test(key) ? key : null;
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
