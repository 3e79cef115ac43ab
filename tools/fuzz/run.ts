import { Agent, request as httpRequest } from "node:http";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import fc from "fast-check";
import type { Contract, Operation } from "./contract.ts";
import { ANSWER_MS, type FuzzAnswer, faultsOf } from "./verdict.ts";
import { type FuzzRequest, requestsTo } from "./requests.ts";
import type { Credentials } from "./values.ts";

export type FuzzOptions = {
  url: string;
  /** Source of the requests, and judge of the answers. */
  contract: Contract;
  /** The engine's own document, a second judge. */
  served?: Contract;
  requests: number;
  seed: number;
  eventIds: readonly string[];
  credentials: Credentials;
  /** Access tokens of that account and of others. */
  tokens: readonly string[];
  progress?: (done: number) => void;
};

export type FuzzReport = {
  sent: number;
  /** Number of answers by status. */
  statuses: Record<string, number>;
  /** Operations of the contract that the engine lacks. They get no requests. */
  absent: string[];
  slowestMs: number;
  /** Wrong answers with their requests; the first of each kind. */
  faults: string[];
};

const AT_ONCE = 8;
/** Ids of earlier answers, so that later requests name existing tickets and transactions. */
const REMEMBERED_MAX = 50;
const ROUND = 500;

/**
 * Sends requests made from the contract and checks every answer. The same seed sends the same
 * requests, except for ids of earlier answers.
 */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { contract, served, url, seed } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const present: Operation[] = [];
  const report: FuzzReport = { sent: 0, statuses: {}, absent: [], slowestMs: 0, faults: [] };
  for (const operation of contract.operations) {
    if (await exists(agent, url, operation)) present.push(operation);
    else report.absent.push(`${operation.method} ${operation.path}`);
  }
  const known = {
    eventIds: options.eventIds,
    ticketIds: [] as string[],
    transactionIds: [] as string[],
    credentials: options.credentials,
  };
  const faults = new Map<string, string>();
  try {
    for (let round = 0; report.sent < options.requests; round += 1) {
      const arbitrary = fc.oneof(
        ...present.map((operation) => ({
          arbitrary: requestsTo(operation, known, options.tokens),
          weight: inputsOf(operation),
        })),
      );
      const requests = fc.sample(arbitrary, {
        seed: seed + round,
        numRuns: Math.min(ROUND, options.requests - report.sent),
      });
      let next = 0;
      const worker = async (): Promise<void> => {
        for (let request = requests[next++]; request !== undefined; request = requests[next++]) {
          const answer = await send(agent, url, request);
          report.slowestMs = Math.max(report.slowestMs, answer instanceof Error ? 0 : answer.ms);
          const status = answer instanceof Error ? "none" : String(answer.status);
          report.statuses[status] = (report.statuses[status] ?? 0) + 1;
          const wrong =
            answer instanceof Error
              ? [`no answer: ${answer.message}`]
              : [
                  ...faultsOf(contract, request, answer),
                  ...(served ? servedFaults(served, request, answer) : []),
                ];
          for (const fault of wrong)
            faults.set(
              `${request.operation.method} ${request.operation.path} ${fault.slice(0, 40)}`,
              describeFault(request, fault, seed + round),
            );
          if (!(answer instanceof Error) && answer.status === 201) learn(known, answer.body ?? "");
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      report.sent += requests.length;
      options.progress?.(report.sent);
    }
  } finally {
    agent.destroy();
  }
  report.faults = [...faults.values()];
  return report;
}

function servedFaults(served: Contract, request: FuzzRequest, answer: FuzzAnswer): string[] {
  const { method, path } = request.operation;
  const operation = served.operations.find((one) => one.method === method && one.path === path);
  if (operation === undefined) return ["the engine's own document does not have it"];
  return faultsOf(served, { ...request, operation }, answer).map(
    (fault) => `by the engine's own document: ${fault}`,
  );
}

/** An operation with more inputs gets more requests. */
function inputsOf({ parameters, body }: Operation): number {
  const members = Object.keys(
    (body?.schema as { properties?: object } | undefined)?.properties ?? {},
  ).length;
  return 1 + 2 * (parameters.length + members);
}

/** A known path answers OPTIONS with its methods. */
async function exists(agent: Agent, url: string, operation: Operation): Promise<boolean> {
  const target = operation.path.replaceAll(/\{(\w+)\}/g, "x");
  const answer = await send(agent, url, {
    operation,
    method: "OPTIONS",
    target,
    headers: {},
    body: undefined,
    intent: "absurd",
  });
  return (
    !(answer instanceof Error) &&
    answer.status === 204 &&
    String(answer.headers.allow).split(", ").includes(operation.method)
  );
}

function send(agent: Agent, url: string, request: FuzzRequest): Promise<FuzzAnswer | Error> {
  const { hostname, port } = new URL(url);
  const began = performance.now();
  return new Promise((resolve) => {
    const { method, target, body } = request;
    const headers = {
      ...request.headers,
      ...(body === undefined ? {} : { "Content-Length": body.length }),
    };
    const asked = httpRequest(
      { agent, hostname, port, method, path: target, headers, timeout: 2 * ANSWER_MS },
      (response) => {
        const chunks: Buffer[] = [];
        const { statusCode: status = 0, headers: said } = response;
        const done = (text: string | undefined) =>
          resolve({ status, headers: said, body: text, ms: performance.now() - began });
        if (response.headers["content-type"]?.startsWith("text/event-stream") === true) {
          done(undefined);
          response.destroy();
          return;
        }
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          try {
            done(decoded(Buffer.concat(chunks), said["content-encoding"]).toString("utf8"));
          } catch (error) {
            resolve(error as Error);
          }
        });
        response.on("error", resolve);
      },
    );
    asked.on("timeout", () => asked.destroy(new Error("it hangs")));
    asked.on("error", resolve);
    asked.end(body);
  });
}

/** Decodes the body. Throws if the bytes do not match the header. */
function decoded(bytes: Buffer, encoding: string | undefined): Buffer {
  // HEAD and 304 name the encoding of a body that they do not have.
  if (encoding === undefined || bytes.length === 0) return bytes;
  if (encoding === "br") return brotliDecompressSync(bytes);
  if (encoding === "gzip") return gunzipSync(bytes);
  throw new Error(`the encoding ${encoding} was not accepted`);
}

function learn(known: { ticketIds: string[]; transactionIds: string[] }, body: string): void {
  const { transactionId, tickets } = JSON.parse(body) as {
    transactionId?: string;
    tickets?: { id: string }[];
  };
  if (transactionId === undefined) return;
  known.transactionIds.push(transactionId);
  known.ticketIds.push(...(tickets ?? []).map(({ id }) => id));
  for (const ids of [known.transactionIds, known.ticketIds])
    ids.splice(0, Math.max(0, ids.length - REMEMBERED_MAX));
}

function describeFault(
  { method, target, headers, body, intent }: FuzzRequest,
  fault: string,
  seed: number,
): string {
  const shown = Object.entries(headers).map(
    ([name, value]) => `${name}: ${name === "Authorization" ? `${value.slice(0, 20)}…` : value}`,
  );
  return [
    fault,
    `${intent} (seed ${seed}): ${method} ${target.slice(0, 300)}`,
    shown.join("; ").slice(0, 300),
    JSON.stringify(body?.toString("latin1").slice(0, 300)) ?? "",
  ].join("\n    ");
}
