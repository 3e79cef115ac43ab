/**
 * What PostgreSQL's errors say of the server itself. `disk-full`: it cannot extend a file.
 * `damaged`: a page of a table or an index is not what was written. `slow`: a statement ran into
 * its time limit, as on a slow disk.
 */
export type ServerTrouble = "disk-full" | "damaged" | "slow";

/** By SQLSTATE (appendix A of PostgreSQL's manual). */
const TROUBLES: Readonly<Record<string, ServerTrouble>> = {
  "53100": "disk-full",
  "57014": "slow",
  XX001: "damaged",
  XX002: "damaged",
};
const TOLD: Readonly<Record<ServerTrouble, string>> = {
  "disk-full": "PostgreSQL's disk is full: it refuses to write, and nothing is sold",
  damaged: "PostgreSQL has found damage: what lies there is neither read nor sold",
  slow: "PostgreSQL is slow: a statement has run into its time limit",
};
/** Damage and slowness are told again after this time, while statements still meet them. */
const TOLD_AGAIN_MS = 60_000;
/** A server is slow until no statement has run into its time limit for this long. */
const SLOW_MS = 10_000;

export type TroubleLog = { error(text: string): void; info(text: string): void };
type Server = {
  full: boolean;
  damages: number;
  timeouts: number;
  slowAtMs: number;
  toldAtMs: Record<"damaged" | "slow", number>;
  logs: Set<TroubleLog>;
};

const servers = new Map<string, Server>();

function serverAt(url: string): Server {
  let server = servers.get(url);
  if (server === undefined) {
    server = {
      full: false,
      damages: 0,
      timeouts: 0,
      slowAtMs: -Infinity,
      toldAtMs: { damaged: -Infinity, slow: -Infinity },
      logs: new Set(),
    };
    servers.set(url, server);
  }
  return server;
}

/**
 * Notes an error that a server has answered. A trouble is logged once: a full disk until there is
 * room, damage and slowness for a minute.
 */
export function noteServerError(url: string, code: string, message: string): void {
  const trouble = TROUBLES[code];
  if (trouble === undefined) return;
  const server = serverAt(url);
  const nowMs = performance.now();
  const isNew =
    trouble === "disk-full" ? !server.full : nowMs - server.toldAtMs[trouble] >= TOLD_AGAIN_MS;
  if (trouble === "disk-full") server.full = true;
  else if (trouble === "damaged") server.damages += 1;
  else {
    server.timeouts += 1;
    server.slowAtMs = nowMs;
  }
  if (!isNew) return;
  if (trouble !== "disk-full") server.toldAtMs[trouble] = nowMs;
  for (const log of server.logs) log.error(`${TOLD[trouble]} (SQLSTATE ${code}: ${message})`);
}

/** Whether PostgreSQL ended a statement at a damaged page. Nothing of it was committed. */
export function isDamage(error: unknown): boolean {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
  return typeof code === "string" && TROUBLES[code] === "damaged";
}

/** Whether the server has refused to write, and has not written since. */
export function isDiskFull(url: string): boolean {
  return servers.get(url)?.full === true;
}

/** Notes that a server has written again. */
export function noteRoom(url: string): void {
  const server = serverAt(url);
  if (!server.full) return;
  server.full = false;
  for (const log of server.logs) log.info("PostgreSQL writes again: its disk has room");
}

/** Statements that have met damage, since this process started. */
export function damagesOf(url: string): number {
  return servers.get(url)?.damages ?? 0;
}

/** Statements that have run into their time limit, since this process started. */
export function timeoutsOf(url: string): number {
  return servers.get(url)?.timeouts ?? 0;
}

/** Whether a statement has run into its time limit a moment ago. */
export function isSlow(url: string): boolean {
  return performance.now() - (servers.get(url)?.slowAtMs ?? -Infinity) < SLOW_MS;
}

/** Notes that the client has given up a statement: the server did not even end it in time. */
export function noteNoAnswer(url: string, error: unknown): void {
  if (error instanceof Error && error.message === "Query read timeout")
    noteServerError(url, "57014", error.message);
}

/** Logs the troubles of a server, until the returned function is called. */
export function logTroubles(url: string, log: TroubleLog): () => void {
  const { logs } = serverAt(url);
  logs.add(log);
  return () => void logs.delete(log);
}
