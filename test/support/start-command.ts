import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type Environment, processEnvironment, VARIABLES } from "../../config/index.ts";
import { freshDatabase, type FreshDatabase } from "./database.ts";
import { temporaryFolder } from "./processes.ts";
import { claimSlot } from "./servers.ts";
import { waitFor } from "./wait-for.ts";
import { BOXOFFICE } from "./boxoffice.ts";

export type StartedCommand = {
  /** All it has written, both streams. */
  said(): string;
  /** Where it serves. Rejects with what it said where it ends before. */
  address(): Promise<string>;
  /** Its exit code. Rejects where it goes on instead. */
  exitCode(): Promise<number>;
  stop(): Promise<void>;
};

export type CommandWorld = {
  database: FreshDatabase;
  dataDir: string;
  start(environment?: Environment): StartedCommand;
  close(): Promise<void>;
};

/** The engine as its command starts it, in a process of its own, on servers that are there and a database of its own. */
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
