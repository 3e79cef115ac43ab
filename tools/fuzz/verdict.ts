import type { Contract } from "./contract.ts";
import type { FuzzRequest } from "./requests.ts";

/** An answer. `body` is undefined for a stream, which was closed after its headers. */
export type FuzzAnswer = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string | undefined;
  ms: number;
};

/** Time limit of an answer. */
export const ANSWER_MS = 5_000;

/** Internals that no answer may contain: stacks, statements, drivers' errors, files and hosts. */
const LEAK = new RegExp(
  [
    String.raw`node_modules|\.ts:\d|\n\s+at |\bSELECT\b|\bINSERT\b|relation \\?"`,
    "postgres|sequelize|moleculer|ECONN|ioredis|amqp|nats:|password_hash|argon2",
  ].join("|"),
  "i",
);

/** Returns what is wrong with an answer. Empty if it agrees with the contract. */
export function faultsOf(contract: Contract, request: FuzzRequest, answer: FuzzAnswer): string[] {
  const faults: string[] = [];
  const { status, headers, body, ms } = answer;
  if (ms > ANSWER_MS) faults.push(`took ${Math.round(ms)} ms`);
  const bodiless = request.method === "HEAD" || status === 204 || status === 304;
  if (bodiless) {
    if (body !== undefined && body !== "")
      faults.push(`a ${request.method} answered ${status} has a body`);
    if (status >= 500) faults.push(`status ${status}`);
    return faults;
  }
  return status >= 400
    ? [...faults, ...problemFaults(contract, request, answer)]
    : [...faults, ...successFaults(request, headers, body, status)];
}

function problemFaults(
  contract: Contract,
  { operation, method }: Pick<FuzzRequest, "operation" | "method">,
  { status, headers, body = "" }: FuzzAnswer,
): string[] {
  const faults: string[] = [];
  if (headers["content-type"] !== "application/problem+json")
    faults.push(`a ${status} of type ${String(headers["content-type"])}`);
  const problem = parsed(body) as
    { code?: string; status?: number; requestId?: string; type?: string } | undefined;
  if (!contract.problem(problem))
    return [...faults, `a ${status} that is no problem document: ${body.slice(0, 200)}`];
  const { code = "" } = problem ?? {};
  if (contract.statusOfCode.get(code) !== status || problem?.status !== status)
    faults.push(`${status} ${code} is not in the closed list`);
  if (problem?.type !== `urn:boxoffice:problem:${code.toLowerCase().replaceAll("_", "-")}`)
    faults.push(`type ${String(problem?.type)}`);
  // A request with another method or unusable ids does not reach the operation.
  const promised =
    method === operation.method && code !== "NOT_FOUND"
      ? (operation.responses.get(status) ?? operation.otherwise)
      : undefined;
  if (promised?.validate?.(problem) === false)
    faults.push(`${status} ${code} is not among this operation's answers`);
  if (code === "INTERNAL") faults.push("INTERNAL");
  if (problem?.requestId !== headers["x-request-id"])
    faults.push("the problem's requestId is not the header's");
  if (LEAK.test(body)) faults.push(`leaks: ${body.slice(0, 300)}`);
  if ((code === "TRY_AGAIN" || status === 429) && !/^\d+$/.test(String(headers["retry-after"])))
    faults.push(`${status} without Retry-After`);
  if (status === 405 && headers.allow === undefined) faults.push("405 without Allow");
  if (headers["cache-control"] !== "no-store") faults.push("a problem that may be cached");
  return faults;
}

function successFaults(
  { operation, method, target, body: sent }: FuzzRequest,
  headers: FuzzAnswer["headers"],
  body: string | undefined,
  status: number,
): string[] {
  if (method !== operation.method) return [];
  const promised = operation.responses.get(status);
  if (promised === undefined) return [`status ${status} is not documented`];
  const faults: string[] = [];
  if (
    promised.mediaType !== undefined &&
    !String(headers["content-type"]).startsWith(promised.mediaType)
  )
    faults.push(`a ${status} of type ${String(headers["content-type"])}`);
  if (promised.validate !== undefined && !promised.validate(parsed(body ?? ""))) {
    const [error] = promised.validate.errors ?? [];
    faults.push(
      `the body breaks the contract: ${error?.instancePath ?? ""} ${error?.message ?? ""}: ` +
        (body ?? "").slice(0, 300),
    );
  }
  faults.push(...acceptedFaults(operation, target, sent));
  return faults;
}

/** A request that the contract rejects must not be accepted. */
function acceptedFaults(
  { body, queryRules, path }: FuzzRequest["operation"],
  target: string,
  sent: Buffer | undefined,
): string[] {
  const faults: string[] = [];
  if (body !== undefined && (sent !== undefined || body.required) && sent?.length !== 0) {
    const value = parsed(sent?.toString() ?? "");
    if (!body.validate(value))
      faults.push(
        `accepted a body the contract refuses: ${(sent?.toString() ?? "none").slice(0, 200)}`,
      );
  }
  if (!path.startsWith("/api/")) return faults;
  const seen = new Set<string>();
  for (const [name, text] of new URLSearchParams(target.split("?")[1] ?? "")) {
    const rule = queryRules.get(name);
    const value =
      (rule?.schema as { type?: string } | undefined)?.type === "integer" && /^\d+$/.test(text)
        ? Number(text)
        : text;
    if (rule?.(value) !== true || seen.has(name))
      faults.push(`accepted a query the contract refuses: ${name}=${text.slice(0, 100)}`);
    seen.add(name);
  }
  return faults;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
