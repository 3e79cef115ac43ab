#!/usr/bin/env node
// The launcher of `boxoffice`. Runs on any Node from 20 on and needs no package: installs the
// packages where they are missing, then runs cli/program.ts on the pinned Node.
import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { ensurePackages, InstallError, NODE, pinnedNode, ROOT } from "./install.mjs";

const PROGRAM = join(ROOT, "cli", "program.ts");
/** HEAP_FLAGS of lib/observability/gc-tuning.ts; a test compares them. */
const ENGINE_FLAGS = ["--max-semi-space-size=32"];
/** Commands whose process sells, or serves. `start` gives the flags to the node it starts. */
const ENGINE_COMMANDS = new Set(["node"]);

async function main() {
  ensurePackages();
  const args = process.argv.slice(2);
  const flags = ENGINE_COMMANDS.has(args[0]) ? ENGINE_FLAGS : [];
  // An image is built on the pinned Node and has no second one.
  const hasPinnedNode = existsSync(NODE);
  const runsPinnedNode = !hasPinnedNode || process.versions.node === pinnedNode();
  if (runsPinnedNode && flags.every((flag) => process.execArgv.includes(flag)))
    return void (await import("./program.ts"));
  const node = hasPinnedNode ? realpathSync(NODE) : process.execPath;
  const command = [...process.execArgv, ...flags, PROGRAM, ...args];
  // Keeps pid, parent and signals; Node before 22.15 does not have it.
  if (process.execve !== undefined) process.execve(node, [node, ...command]);
  else runAsChild(node, command);
}

/**
 * Passes signals on and ends as the child ends. The child watches this process (watch-parent.ts).
 */
function runAsChild(node, command) {
  const env = { ...process.env, BOXOFFICE_LAUNCHER_PID: String(process.pid) };
  const child = spawn(node, command, { stdio: "inherit", env });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => child.kill(signal));
  child.once("error", (error) => {
    console.error(`boxoffice: ${node} cannot be run (${error.message})`);
    process.exitCode = 1;
  });
  child.once("exit", (code, signal) =>
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0)),
  );
}

try {
  await main();
} catch (error) {
  if (!(error instanceof InstallError)) throw error;
  console.error(`boxoffice: ${error.message}.`);
  process.exitCode = 1;
}
