/**
 * What PostgreSQL's errors say of the server itself. `disk-full`: it cannot extend a file.
 * `damaged`: a page of a table or an index is not what was written.
 */
export type ServerTrouble = "disk-full" | "damaged";

/** By SQLSTATE (appendix A of PostgreSQL's manual). */
const TROUBLES: Readonly<Record<string, ServerTrouble>> = {
  "53100": "disk-full",
  XX001: "damaged",
  XX002: "damaged",
};
const TOLD: Readonly<Record<ServerTrouble, string>> = {
  "disk-full": "PostgreSQL's disk is full: it refuses to write, and nothing is sold",
  damaged: "PostgreSQL has found damage: what lies there is neither read nor sold",
};
/** Damage is told again after this time, while statements still meet it. */
const TOLD_AGAIN_MS = 60_000;

export type TroubleLog = { error(text: string): void; info(text: string): void };
type Server = {
  full: boolean;
  damages: number;
  toldAtMs: number;
  logs: Set<TroubleLog>;
};

const servers = new Map<string, Server>();

function serverAt(url: string): Server {
  let server = servers.get(url);
  if (server === undefined) {
    server = { full: false, damages: 0, toldAtMs: -Infinity, logs: new Set() };
    servers.set(url, server);
  }
  return server;
}

/**
 * Notes an error that a server has answered. A trouble is logged once: a full disk until there is
 * room, damage for a minute.
 */
export function noteServerError(url: string, code: string, message: string): void {
  const trouble = TROUBLES[code];
  if (trouble === undefined) return;
  const server = serverAt(url);
  const nowMs = performance.now();
  const isNew = trouble === "disk-full" ? !server.full : nowMs - server.toldAtMs >= TOLD_AGAIN_MS;
  if (trouble === "disk-full") server.full = true;
  else server.damages += 1;
  if (!isNew) return;
  if (trouble === "damaged") server.toldAtMs = nowMs;
  for (const log of server.logs) log.error(`${TOLD[trouble]} (SQLSTATE ${code}: ${message})`);
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

/** Logs the troubles of a server, until the returned function is called. */
export function logTroubles(url: string, log: TroubleLog): () => void {
  const { logs } = serverAt(url);
  logs.add(log);
  return () => void logs.delete(log);
}
