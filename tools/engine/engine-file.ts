import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerUrls } from "../../config/index.ts";
import { ServerProblem, folderProblem } from "../dev-servers/server-problem.ts";
import { startedAt } from "../dev-servers/process-identity.ts";

/** What the running engine of a DATA_DIR tells other commands. It holds passwords: the file is closed to others. */
export type EngineFile = {
  pid: number;
  started: string;
  nodeId: string;
  address: string | undefined;
  urls: ServerUrls;
  prometheusUrl: string | undefined;
};

type Owner = { pid: number; started: string };

/** The engine that runs on this DATA_DIR, or undefined. A file left by one that was killed does not count. */
export function readEngineFile(dataDir: string): EngineFile | undefined {
  return readIfAlive(join(dataDir, "engine.json")) as EngineFile | undefined;
}

/** Tells other commands where the engine is. Answers the removal. */
export function writeEngineFile(
  dataDir: string,
  engine: Omit<EngineFile, "pid" | "started">,
): () => void {
  const file = join(dataDir, "engine.json");
  try {
    writeFileSync(`${file}.new`, JSON.stringify({ ...ourselves(), ...engine }, undefined, 2), {
      mode: 0o600,
    });
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw folderProblem(error, dataDir);
  }
  return () => rmSync(file, { force: true });
}

/**
 * Makes this process the only engine of a DATA_DIR, which is made where it is missing. Answers the release. Throws a
 * ServerProblem that names the other one where there is one.
 */
export function lockDataDir(dataDir: string): () => void {
  const file = join(dataDir, "engine.lock");
  try {
    mkdirSync(dataDir, { recursive: true });
    for (;;) {
      if (createWhole(file)) return () => rmSync(file, { force: true });
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
  const address = readEngineFile(dataDir)?.address;
  const where =
    address === undefined ? "it is starting or serves no HTTP" : `it answers at ${address}`;
  return new ServerProblem(
    `An engine runs on ${dataDir} already (process ${owner.pid}): ${where}. Use it, stop it, or set DATA_DIR and PORT for a second one.`,
  );
}

/** A link is made by one process only, and to a file that is complete already. */
function createWhole(file: string): boolean {
  const complete = `${file}.${process.pid}.new`;
  writeFileSync(complete, JSON.stringify(ourselves()), { mode: 0o600 });
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

/** Moved away first, which only one process can do; put back where it turns out to be somebody's fresh lock. */
function removeStale(file: string): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
    if (readIfAlive(aside) === undefined) rmSync(aside, { force: true });
    else renameSync(aside, file);
  } catch {
    // Another one was faster.
  }
}

function ourselves(): Owner {
  return { pid: process.pid, started: startedAt(process.pid) ?? "" };
}

function readIfAlive(file: string): Owner | undefined {
  try {
    const content = JSON.parse(readFileSync(file, "utf8")) as Owner;
    return startedAt(content.pid) === content.started ? content : undefined;
  } catch {
    return undefined;
  }
}
