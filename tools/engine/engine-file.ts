import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../../config/make-folder.ts";
import type { ServerUrls } from "../../config/index.ts";
import { ServerProblem, folderProblem } from "../dev-servers/server-problem.ts";
import { startedAt } from "../dev-servers/process-identity.ts";

/** What other commands read of the running engine. The file has mode 0600: it holds passwords. */
export type EngineFile = {
  /** The process that serves. */
  pid: number;
  started: string;
  /** The process that started it, and its servers. */
  supervisor: Owner;
  nodeId: string;
  address: string | undefined;
  urls: ServerUrls;
  /** PostgreSQL by the role of backups. */
  backupUrl?: string | undefined;
  prometheusUrl: string | undefined;
};

type Owner = { pid: number; started: string };

/** Reads the engine that runs on this DATA_DIR; undefined where none does. */
export function readEngineFile(dataDir: string): EngineFile | undefined {
  const engine = readJson(join(dataDir, "engine.json")) as EngineFile | undefined;
  return engine !== undefined && isAlive(engine.supervisor) ? engine : undefined;
}

/**
 * Writes where the engine is, for other commands. `pid` serves. Returns a function that removes it.
 */
export function writeEngineFile(
  dataDir: string,
  engine: Omit<EngineFile, "pid" | "started" | "supervisor">,
  pid = process.pid,
): () => void {
  const file = join(dataDir, "engine.json");
  try {
    const content: EngineFile = {
      ...processOf(pid),
      supervisor: processOf(process.pid),
      ...engine,
    };
    writeFileSync(`${file}.new`, JSON.stringify(content, undefined, 2), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw folderProblem(error, dataDir);
  }
  return () => rmSync(file, { force: true });
}

/**
 * Makes this process the only engine of a DATA_DIR, which is created where it is missing. Returns
 * the release. Throws a ServerProblem that names the engine that has it.
 */
export function lockDataDir(dataDir: string): () => void {
  const file = join(dataDir, "engine.lock");
  try {
    makeFolder(dataDir);
    for (;;) {
      if (createLock(file)) return () => rmSync(file, { force: true });
      const owner = readIfAlive(file);
      if (owner !== undefined) throw alreadyRunning(dataDir, owner);
      removeStale(file);
    }
  } catch (error) {
    if (error instanceof ServerProblem) throw error;
    throw folderProblem(error, dataDir);
  }
}

function alreadyRunning(dataDir: string, owner: Owner): ServerProblem {
  const { address, pid = owner.pid } = readEngineFile(dataDir) ?? {};
  const where =
    address === undefined ? "it is starting or serves no HTTP" : `it answers at ${address}`;
  return new ServerProblem(
    `An engine runs on ${dataDir} already (process ${pid}): ${where}. ` +
      "Use it, stop it, or set DATA_DIR and PORT for a second one.",
  );
}

/** Creates the lock by a link, which only one process can make, to a complete file. */
function createLock(file: string): boolean {
  const complete = `${file}.${process.pid}.new`;
  writeFileSync(complete, JSON.stringify(processOf(process.pid)), { mode: 0o600 });
  try {
    linkSync(complete, file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(complete, { force: true });
  }
}

/** Renames first, which only one process can do; a lock that was fresh after all is put back. */
function removeStale(file: string): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
    if (readIfAlive(aside) === undefined) rmSync(aside, { force: true });
    else renameSync(aside, file);
  } catch {
    // Another process removed it.
  }
}

function processOf(pid: number): Owner {
  return { pid, started: startedAt(pid) ?? "" };
}

function readIfAlive(file: string): Owner | undefined {
  const owner = readJson(file) as Owner | undefined;
  return owner !== undefined && isAlive(owner) ? owner : undefined;
}

function isAlive({ pid, started }: Owner): boolean {
  return startedAt(pid) === started;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
