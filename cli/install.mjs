// Installs the packages where they differ from the lock file. Runs before any package is there, on
// any Node from 20 on: plain JavaScript, with Node's own modules only. Writes to standard error,
// since standard output belongs to the command that follows.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(ROOT, "node_modules");
export const NODE = join(MODULES, ".bin", "node");
const STAMP = join(MODULES, ".boxoffice-stamp");
const LOCK = join(ROOT, ".install.lock");
const LOCK_TIMEOUT_MS = 600_000;
const LOCK_POLL_MS = 100;
/** A lock folder without a pid file is being made; after this time its maker is taken for dead. */
const LOCK_WITHOUT_PID_MS = 5_000;

/** The message says what is wrong and what to do; it is printed without a stack trace. */
export class InstallError extends Error {}

const read = (...path) => readFileSync(join(...path), "utf8");
const report = (line) => console.error(`boxoffice: ${line}`);

/** The version of Node that the project runs on. */
export const pinnedNode = () => JSON.parse(read(ROOT, "package.json")).dependencies.node;

/** Brings node_modules up to date with package-lock.json; takes milliseconds where it is. */
export function ensurePackages() {
  // An image has no lock file: its packages were installed when it was built.
  if (!existsSync(join(ROOT, "package-lock.json")) || isStamped()) return;
  takeLock();
  try {
    if (isStamped()) return;
    const reason = reasonToInstall();
    if (reason === undefined) ensureNode();
    else install(reason);
    writeFileSync(STAMP, currentStamp());
  } finally {
    rmSync(LOCK, { recursive: true, force: true });
  }
}

function currentStamp() {
  const hash = createHash("sha256")
    .update(read(ROOT, "package-lock.json"))
    .update(read(ROOT, "package.json"));
  return hash.digest("hex");
}

function isStamped() {
  return existsSync(NODE) && existsSync(STAMP) && read(STAMP) === currentStamp();
}

function packagesOf(...path) {
  try {
    return JSON.parse(read(...path)).packages;
  } catch (error) {
    throw new InstallError(
      `${join(...path)} cannot be read (${error.message}). ` +
        "Restore it (git checkout package-lock.json), or remove node_modules",
    );
  }
}

/** Undefined where node_modules already has what the lock file names (after an npm install). */
function reasonToInstall() {
  if (!existsSync(MODULES)) return "the packages are not installed yet";
  if (!existsSync(join(MODULES, ".package-lock.json")))
    return "an earlier installation did not finish";
  const wanted = packagesOf(ROOT, "package-lock.json");
  const present = packagesOf(MODULES, ".package-lock.json");
  for (const [path, { version, optional }] of Object.entries(wanted)) {
    if (path === "" || optional || present[path]?.version === version) continue;
    return existsSync(STAMP) ? "package-lock.json has changed" : `${path} is missing`;
  }
  return undefined;
}

/** Leaves node_modules/.bin out of PATH: npm would replace the Node that it runs on. */
function environmentForNpm() {
  const PATH = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes(`node_modules${sep}.bin`));
  return { ...process.env, PATH: PATH.join(delimiter) };
}

/** Shows what the command says only if it fails: a progress line of ours says the rest. */
function run(command, args, cwd) {
  const options = { cwd, env: environmentForNpm(), stdio: ["ignore", "ignore", "pipe"] };
  const ended = spawnSync(command, args, options);
  if (ended.status !== 0) process.stderr.write(ended.stderr ?? "");
  return ended;
}

function nodeVersion() {
  const { stdout } = spawnSync(NODE, ["--version"], { encoding: "utf8" });
  return stdout?.trim().replace(/^v/, "");
}

/** Runs the install script of the package `node` where npm's settings forbade it. */
function ensureNode() {
  const version = pinnedNode();
  if (nodeVersion() === version) return;
  report(`fetching Node ${version}`);
  run("node", ["installArchSpecificPackage.js"], join(MODULES, "node"));
  // npm links a package's program only if it is present at installation.
  mkdirSync(dirname(NODE), { recursive: true });
  rmSync(NODE, { force: true });
  symlinkSync(join("..", "node", "bin", "node"), NODE);
  if (nodeVersion() === version) return;
  throw new InstallError(
    `Node ${version} could not be fetched. Allow install scripts for the package \`node\` ` +
      "(npm config get ignore-scripts), remove node_modules, and try again",
  );
}

function install(reason) {
  const startedMs = Date.now();
  report(`installing packages with npm ci, because ${reason} (takes a minute)`);
  const options = ["--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, error } = run("npm", ["ci", ...options], ROOT);
  if (error)
    throw new InstallError(
      `npm cannot be run (${error.message}). Install Node.js 20 or newer with npm`,
    );
  if (status !== 0)
    throw new InstallError(
      "npm ci failed, see above. Check that the registry can be reached and that " +
        "package-lock.json is unchanged",
    );
  ensureNode();
  report(`packages are installed (${((Date.now() - startedMs) / 1_000).toFixed(1)} s)`);
}

/** Creates the lock folder, which only one process can do. Removes one whose owner is dead. */
function takeLock() {
  const deadlineMs = Date.now() + LOCK_TIMEOUT_MS;
  for (let waits = 0; ; waits += 1) {
    try {
      mkdirSync(LOCK);
      writeFileSync(join(LOCK, "pid"), String(process.pid));
      return;
    } catch (error) {
      if (error.code !== "EEXIST")
        throw new InstallError(
          `${ROOT} cannot be written (${error.message}). Change its owner, or clone it elsewhere`,
        );
    }
    if (isStale(LOCK)) {
      removeStaleLock();
      continue;
    }
    if (waits === 0) report("waiting for another installation in this folder");
    if (Date.now() > deadlineMs)
      throw new InstallError(
        `another installation does not end. If none is running, remove ${LOCK}`,
      );
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS);
  }
}

/** Renames first, which only one process can do; a lock that was fresh after all is put back. */
function removeStaleLock() {
  const aside = `${LOCK}.${process.pid}`;
  try {
    renameSync(LOCK, aside);
    if (isStale(aside)) rmSync(aside, { recursive: true, force: true });
    else renameSync(aside, LOCK);
  } catch {
    // Another process removed it.
  }
}

function isStale(folder) {
  try {
    const file = join(folder, "pid");
    if (!existsSync(file)) return Date.now() - statSync(folder).mtimeMs > LOCK_WITHOUT_PID_MS;
    process.kill(Number(readFileSync(file, "utf8")), 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}
