import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ServiceBroker } from "moleculer";
import { isBusConnected, isBrokerStarted } from "../bus/moleculer-internals.ts";
import { withTimeout } from "../concurrency/clock.ts";
import { type Reply, problemOf, sendAnswer } from "./problem-details.ts";

/** True: it passed. A text: why not, in a word or two, never a host or a server's message. */
export type CheckResult = boolean | string;
/** Checks by the kind of dependency (`database`, `cache`, …), never by host or name. */
export type ReadinessChecks = Readonly<Record<string, () => CheckResult | Promise<CheckResult>>>;

export type Health = {
  /**
   * Kinds of missing dependencies, as `cache` or `database (read-only)`; empty if the node can
   * serve. Never rejects.
   */
  missing(): Promise<string[]>;
  /** What refuses to write while the node serves, as `cache (memory-full)`. */
  troubles(): readonly string[];
};

/** A check that takes longer has failed. */
const CHECK_MS = 1_000;
/** Results are reused for this long, so that a flood of probes does not reach the servers. */
const FRESH_MS = 500;

export type HealthOptions = {
  /** Names of services that must be on the bus, on any node. */
  needs?: Iterable<string>;
  /** Aborted when the node begins to stop. It still serves, but is no longer ready. */
  leaving?: AbortSignal;
  troubles?: () => readonly string[];
};

/**
 * Judges the readiness of one node: the broker runs, the transporter is connected, every check
 * passes, and the needed services are on the bus.
 */
export function createHealth(
  broker: ServiceBroker,
  checks: ReadinessChecks,
  { needs = [], leaving, troubles = () => [] }: HealthOptions = {},
): Health {
  const ownChecks: ReadinessChecks = {
    broker: () => isBrokerStarted(broker),
    transporter: () => isBusConnected(broker) ?? true,
  };
  const unknown = (): string[] => {
    const offered = new Set(
      broker.registry.getServiceList({ onlyAvailable: true }).map(({ name }) => name),
    );
    return [...needs].filter((name) => !offered.has(name));
  };
  let latest: { checkedAtMs: number; missing: Promise<string[]> } | undefined;

  const runChecks = async (): Promise<string[]> => {
    const passed = await Promise.all(
      Object.entries({ ...ownChecks, ...checks }).map(async ([kind, check]) =>
        problemsOf(kind, await resultOf(check)),
      ),
    );
    return passed.flat();
  };
  return {
    troubles,
    async missing() {
      // Not cached: load balancers must leave a stopping node at once.
      if (leaving?.aborted === true) return ["stopping"];
      const nowMs = performance.now();
      if (latest === undefined || nowMs - latest.checkedAtMs > FRESH_MS)
        latest = { checkedAtMs: nowMs, missing: runChecks() };
      return [...(await latest.missing), ...unknown()];
    },
  };
}

async function resultOf(check: ReadinessChecks[string]): Promise<CheckResult> {
  try {
    return (await withTimeout(Promise.resolve(check()), CHECK_MS)) ?? false;
  } catch {
    return false;
  }
}

function problemsOf(kind: string, result: CheckResult): string[] {
  if (result === true) return [];
  return [result === false ? kind : `${kind} (${result})`];
}

/** The reply of /readyz: 200 with what troubles the node, or a problem with the missing kinds. */
export async function readinessAnswer(health: Health, requestId?: string): Promise<Reply> {
  const missing = await health.missing();
  if (missing.length > 0)
    return problemOf("TRY_AGAIN", requestId, { detail: `Not ready: ${missing.join(", ")}` });
  const troubles = health.troubles();
  return {
    status: 200,
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
    body: JSON.stringify({ status: "ready", ...(troubles.length > 0 && { troubles }) }),
  };
}

/** The reply of /healthz. */
export const ALIVE: Reply = {
  status: 200,
  headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
  body: '{"status":"alive"}',
};

export type HealthServer = { port: number; close(): Promise<void> };

/** Serves /healthz and /readyz of any node on their own port. Rejects if the port is taken. */
export async function startHealthServer(
  health: Health,
  { host, port }: { host: string; port: number },
): Promise<HealthServer> {
  const server: Server = createServer(
    { keepAliveTimeout: 5_000, requestTimeout: 5_000 },
    (request, response) => {
      const reads = request.method === "GET" || request.method === "HEAD";
      if (request.url !== "/healthz" && request.url !== "/readyz")
        sendAnswer(request, response, problemOf("NOT_FOUND", undefined));
      else if (!reads) {
        const { status, headers, body } = problemOf("METHOD_NOT_ALLOWED", undefined);
        sendAnswer(request, response, {
          status,
          headers: { ...headers, Allow: "GET, HEAD" },
          body,
        });
      } else if (request.url === "/healthz") sendAnswer(request, response, ALIVE);
      else void readinessAnswer(health).then((answer) => sendAnswer(request, response, answer));
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
