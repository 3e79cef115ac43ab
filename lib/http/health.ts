import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ServiceBroker } from "moleculer";
import { isBusSilent } from "../bus/nats-transporter.ts";
import { type Reply, problemOf, sendAnswer } from "./problem-details.ts";

/** What a node needs before it can serve, by its kind (`database`, `cache`, …), never by host or name. */
export type ReadinessChecks = Readonly<Record<string, () => boolean | Promise<boolean>>>;

export type Health = {
  /** The kinds of what is missing; empty when the node can serve. Never rejects. */
  missing(): Promise<string[]>;
};

/** A server that is asked and does not answer is as good as away. */
const CHECK_MS = 1_000;
/** Probes may come in floods, and from strangers: the servers behind are asked this often at most. */
const FRESH_MS = 500;

export type HealthOptions = {
  /** Services without which the node can serve nothing, wherever they run: each is missing by its name. */
  needs?: Iterable<string>;
  /** Aborted when the node begins to stop: it still serves, but whoever chooses among nodes is to choose another. */
  leaving?: AbortSignal;
};

/** Readiness of one node: its broker runs and is not stopping, its transporter is connected, the services it needs are known and every check passes. */
export function createHealth(
  broker: ServiceBroker,
  checks: ReadinessChecks,
  { needs = [], leaving }: HealthOptions = {},
): Health {
  const ownChecks: ReadinessChecks = {
    broker: () => (broker as unknown as { started: boolean }).started,
    transporter: () =>
      ((broker.transit as { connected: boolean } | undefined)?.connected ?? true) &&
      !isBusSilent(broker),
  };
  const unknown = (): string[] => {
    const offered = new Set(
      broker.registry.getServiceList({ onlyAvailable: true }).map(({ name }) => name),
    );
    return [...needs].filter((name) => !offered.has(name));
  };
  let latest: { askedAtMs: number; missing: Promise<string[]> } | undefined;

  const ask = async (): Promise<string[]> => {
    const passed = await Promise.all(
      Object.entries({ ...ownChecks, ...checks }).map(async ([kind, check]) =>
        (await passes(check)) ? [] : [kind],
      ),
    );
    return passed.flat();
  };
  return {
    async missing() {
      // A node that stops is not to be chosen from this moment on, and what the registry knows costs nothing to ask.
      if (leaving?.aborted === true) return ["stopping"];
      const nowMs = performance.now();
      if (latest === undefined || nowMs - latest.askedAtMs > FRESH_MS)
        latest = { askedAtMs: nowMs, missing: ask() };
      return [...(await latest.missing), ...unknown()];
    },
  };
}

async function passes(check: () => boolean | Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<false>(
      (resolve) => (timer = setTimeout(() => resolve(false), CHECK_MS)),
    );
    return await Promise.race([check(), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** The answer to /readyz: 200, or a problem that names the kinds of what is missing. */
export function readinessAnswer(missing: readonly string[], requestId?: string): Reply {
  if (missing.length > 0)
    return problemOf("TRY_AGAIN", requestId, { detail: `Not ready: ${missing.join(", ")}` });
  return {
    status: 200,
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
    body: '{"status":"ready"}',
  };
}

/** The answer to /healthz: whoever can send it lives. */
export const ALIVE: Reply = {
  status: 200,
  headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
  body: '{"status":"alive"}',
};

export type HealthServer = { port: number; close(): Promise<void> };

/** Answers /healthz and /readyz for any kind of node, on a port of their own. Rejects when the port is taken. */
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
      else
        void health
          .missing()
          .then((missing) => sendAnswer(request, response, readinessAnswer(missing)));
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
