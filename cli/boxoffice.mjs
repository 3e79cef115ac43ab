// Runs before `npm start`, `npm test` and the others, on whatever Node is there, before any package is: plain JavaScript and
// only what Node brings. Installs the packages when they differ from the lock file; otherwise costs a few milliseconds.
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

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(ROOT, "node_modules");
const STAMP = join(MODULES, ".boxoffice-stamp");
const LOCK = join(ROOT, ".install.lock");
const NODE = join(MODULES, ".bin", "node");
const LOCK_WAIT_MS = 600_000;

const read = (...path) => readFileSync(join(...path), "utf8");
const pinnedNode = () => JSON.parse(read(ROOT, "package.json")).dependencies.node;

class InstallError extends Error {}

function stampNow() {
  const hash = createHash("sha256")
    .update(read(ROOT, "package-lock.json"))
    .update(read(ROOT, "package.json"));
  return hash.digest("hex");
}

function isStamped() {
  return existsSync(NODE) && existsSync(STAMP) && read(STAMP) === stampNow();
}

function packagesOf(...path) {
  try {
    return JSON.parse(read(...path)).packages;
  } catch (error) {
    throw new InstallError(
      `${join(...path)} cannot be read (${error.message}); restore it (git checkout package-lock.json) or remove node_modules`,
    );
  }
}

/** Why packages must be installed, or undefined where what is there already is what the lock file names (somebody ran npm install). */
function reasonToInstall() {
  if (!existsSync(MODULES)) return "no packages are here yet";
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

/** Without node_modules/.bin: npm would replace the very Node it runs on. */
function outsideEnvironment() {
  const PATH = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes(`node_modules${sep}.bin`));
  return { ...process.env, PATH: PATH.join(delimiter) };
}

function npm(...args) {
  const { status, error } = spawnSync("npm", args, {
    cwd: ROOT,
    env: outsideEnvironment(),
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (error)
    throw new InstallError(
      `npm could not be run (${error.message}); install Node.js 20 or newer with npm`,
    );
  return status === 0;
}

function nodeVersion() {
  const { stdout } = spawnSync(NODE, ["--version"], { encoding: "utf8" });
  return stdout?.trim().replace(/^v/, "");
}

/** The package `node` fetches its program in an install script, which some npm settings forbid: then it is run here. */
function ensureNode() {
  const version = pinnedNode();
  if (nodeVersion() === version) return;
  console.log(`install: node_modules/.bin/node is not Node ${version}; fetching it`);
  const folder = join(MODULES, "node");
  spawnSync("node", ["installArchSpecificPackage.js"], {
    cwd: folder,
    env: outsideEnvironment(),
    stdio: ["ignore", "ignore", "inherit"],
  });
  // npm links a package's program only if it is there at the time.
  mkdirSync(dirname(NODE), { recursive: true });
  rmSync(NODE, { force: true });
  symlinkSync(join("..", "node", "bin", "node"), NODE);
  if (nodeVersion() === version) return;
  throw new InstallError(
    `Node ${version} could not be fetched. Allow install scripts for the package \`node\` (npm config get ignore-scripts), remove node_modules, and try again; or run with Node ${version} from elsewhere`,
  );
}

function install(reason) {
  const began = Date.now();
  console.log(`install: npm ci, since ${reason}`);
  if (!npm("ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"))
    throw new InstallError(
      "npm ci failed (its words are above). Is the registry reachable, and is package-lock.json unchanged?",
    );
  ensureNode();
  console.log(`install: done (${((Date.now() - began) / 1000).toFixed(1)} s)`);
}

/** A folder is made by one process only. One whose owner died is moved away, which again only one can do. */
function takeLock() {
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (let waits = 0; ; waits += 1) {
    try {
      mkdirSync(LOCK);
      writeFileSync(join(LOCK, "pid"), String(process.pid));
      return;
    } catch (error) {
      if (error.code !== "EEXIST")
        throw new InstallError(`${ROOT} cannot be written (${error.message})`);
    }
    if (isStale(LOCK)) {
      removeStale();
      continue;
    }
    if (waits === 0) console.log("install: waiting for another installation in this folder");
    if (Date.now() > deadline)
      throw new InstallError(`another installation does not end; if there is none, remove ${LOCK}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
}

function removeStale() {
  const aside = `${LOCK}.${process.pid}`;
  try {
    renameSync(LOCK, aside);
    if (isStale(aside)) rmSync(aside, { recursive: true, force: true });
    else renameSync(aside, LOCK); // Somebody took it in between.
  } catch {
    // Another one was faster.
  }
}

function isStale(folder) {
  try {
    const file = join(folder, "pid");
    if (!existsSync(file)) return Date.now() - statSync(folder).mtimeMs > 5_000;
    process.kill(Number(readFileSync(file, "utf8")), 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

function main() {
  if (isStamped()) return;
  takeLock();
  try {
    if (isStamped()) return;
    const reason = reasonToInstall();
    if (reason === undefined) ensureNode();
    else install(reason);
    writeFileSync(STAMP, stampNow());
  } finally {
    rmSync(LOCK, { recursive: true, force: true });
  }
}

try {
  main();
} catch (error) {
  if (!(error instanceof InstallError)) throw error;
  console.error(`install: ${error.message}.`);
  process.exitCode = 1;
}
