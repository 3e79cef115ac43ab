import type { IncomingMessage } from "node:http";
import type { ProblemCode } from "../../../lib/http/problem-details.ts";
import { randomId } from "../../../lib/ids/random-id.ts";
import { type Body, isJson, readBody } from "./parse-body.ts";
import type { CompiledRoute } from "./compile-route.ts";
import { readQuery } from "./parse-query.ts";
import type { Input } from "./route.ts";
import type { Broken } from "./schema-validator.ts";

export type ReadInput =
  | { ok: true; input: Omit<Input, "idempotencyKey" | "client"> }
  | { ok: false; code: ProblemCode; broken?: Broken[] };

/** The client's key where it is one: 1 to 255 printable characters. `undefined`: none was sent. `null`: not one. */
export function clientKey(request: IncomingMessage): string | undefined | null {
  const key = request.headers["idempotency-key"];
  if (key === undefined) return undefined;
  return typeof key === "string" && /^[\x20-\x7e\xa0-\xff]{1,255}$/.test(key) ? key : null;
}

/**
 * Reads and validates a whole request: ids of the path, query, key, then the body; at once where that need not be waited for.
 * Can refuse with: MALFORMED, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, VALIDATION_ERROR. Rejects when the client goes away.
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
  const checked = (read: Body): ReadInput => {
    if (!read.ok) return read;
    const type = request.headers["content-type"];
    if (route.cookie && type !== undefined && !isJson(type))
      return { ok: false, code: "UNSUPPORTED_MEDIA_TYPE" };
    if (read.value === undefined && required)
      return { ok: false, code: "VALIDATION_ERROR", broken: [{ field: "", rule: "required" }] };
    const body = read.value === undefined ? {} : read.value;
    const wrong = rules.broken(body);
    if (wrong.length > 0) return { ok: false, code: "VALIDATION_ERROR", broken: wrong };
    return { ok: true, input: { params, query, body: body as Record<string, unknown> } };
  };
  const body = readBody(request);
  return body instanceof Promise ? body.then(checked) : checked(body);
}

/** A key to send with every answer to a purchase, fit to be asked with again. */
export function answeredKey(request: IncomingMessage): string {
  return clientKey(request) ?? randomId();
}
