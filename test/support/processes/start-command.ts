import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type Environment, processEnvironment, VARIABLES } from "../../../config/index.ts";
import { freshDatabase, type FreshDatabase } from "../database.ts";
import { temporaryFolder } from "./processes.ts";
import { claimSlot } from "./servers.ts";
import { waitFor } from "../wait-for.ts";
import { BOXOFFICE } from "./boxoffice.ts";

export type StartedCommand = {
  /** Its output so far, both streams. */
  said(): string;
  /** Resolves to its address. Rejects with its output if it exits first. */
  address(): Promise<string>;
  /** Resolves to its exit code. Rejects if it keeps running. */
  exitCode(): Promise<number>;
  stop(): Promise<void>;
};

export type CommandWorld = {
  database: FreshDatabase;
  dataDir: string;
  start(environment?: Environment): StartedCommand;
  close(): Promise<void>;
};

/** Starts the engine by its command as a process, on running servers and a new database. */
export async function openCommandWorld(): Promise<CommandWorld> {
  const [slot, database] = await Promise.all([claimSlot(), freshDatabase()]);
  const { folder, remove } = temporaryFolder();
  const outside = Object.entries(processEnvironment()).filter(
    ([name]) => !(name in VARIABLES) && !name.startsWith("NODE_TEST"),
  );
  const base: Environment = {
    ...Object.fromEntries(outside),
    PORT: "0",
    DATA_DIR: folder,
    BUS_NAMESPACE: folder.replaceAll(/\W/g, "-").slice(-60),
    DATABASE_URL: database.url,
    REDIS_URL: slot.redisUrl,
    AMQP_URL: slot.amqpUrl,
    TRANSPORTER: slot.transporter,
  };
  const running = new Set<ChildProcess>();
  return {
    database,
    dataDir: folder,
    start(environment = {}) {
      const child = spawn(process.execPath, [BOXOFFICE, "start"], {
        env: { ...base, ...environment },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let said = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
      const ended = once(child, "close").then(([code]) => ({ code: code as number | null }));
      let closed: { code: number | null } | undefined;
      void ended.then((how) => (closed = how));
      running.add(child);
      void ended.then(() => running.delete(child));
      return {
        said: () => said,
        async exitCode() {
          const { code } = await waitFor(() => closed, {
            withinMs: 60_000,
            what: "The command ends",
          });
          return code ?? -1;
        },
        async address() {
          const serves = () =>
            /serves on (http:[^\s"]+)/.exec(said)?.[1] ??
            (child.exitCode === null ? undefined : "ended");
          const address = await waitFor(serves, { withinMs: 60_000, what: "The command serves" });
          assert.notEqual(address, "ended", said);
          return address;
        },
        async stop() {
          child.kill("SIGTERM");
          await ended;
        },
      };
    },
    async close() {
      for (const child of running) child.kill("SIGKILL");
      await Promise.all([database.drop(), slot.release()]);
      remove();
    },
  };
}
