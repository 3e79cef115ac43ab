import assert from "node:assert/strict";
import type { Environment } from "../../../config/index.ts";
import { outsideEnvironment } from "../../../tools/process/outside-environment.ts";
import { freshDatabase, type FreshDatabase } from "../database.ts";
import { waitFor } from "../wait-for.ts";
import { BOXOFFICE, type Started, startProgram } from "./boxoffice.ts";
import { temporaryFolder } from "./processes.ts";
import { claimSlot } from "./servers.ts";

/** Generous: a busy machine only makes a start slower. */
export const START_MS = 240_000;

export type StartedCommand = {
  /** Its output so far, both streams. */
  said(): string;
  /** Resolves to its address. Rejects with its output if it exits first. */
  address(): Promise<string>;
  /** Resolves to its exit code. Rejects if it keeps running. */
  exitCode(): Promise<number>;
  /** Stops it by SIGTERM. Resolves to its exit code. */
  stop(): Promise<number | null>;
};

export type CommandWorld = {
  database: FreshDatabase;
  dataDir: string;
  /** Starts `boxoffice start`, or another program of Node. */
  start(environment?: Environment, program?: readonly string[]): StartedCommand;
  close(): Promise<void>;
};

/** Starts the engine by its command as a process, on running servers and a new database. */
export async function openCommandWorld(): Promise<CommandWorld> {
  const [slot, database] = await Promise.all([claimSlot(), freshDatabase()]);
  const { folder, remove } = temporaryFolder();
  const base: Environment = {
    ...outsideEnvironment(),
    PORT: "0",
    DATA_DIR: folder,
    BUS_NAMESPACE: folder.replaceAll(/\W/g, "-").slice(-60),
    DATABASE_URL: database.url,
    ...slot.urls,
  };
  const running = new Set<Started>();
  return {
    database,
    dataDir: folder,
    start(environment = {}, program = [BOXOFFICE, "start"]) {
      const started = startProgram([process.execPath, ...program], { ...base, ...environment });
      const { child, said, ended } = started;
      running.add(started);
      let closed: { code: number | null } | undefined;
      void ended.then((code) => {
        closed = { code };
        running.delete(started);
      });
      return {
        said,
        async exitCode() {
          const { code } = await waitFor(() => closed, {
            withinMs: START_MS,
            what: "The command ends",
          });
          return code ?? -1;
        },
        async address() {
          const serves = () => addressIn(said()) ?? (closed === undefined ? undefined : "ended");
          const address = await waitFor(serves, { withinMs: START_MS, what: "The command serves" });
          assert.notEqual(address, "ended", said());
          return address;
        },
        stop() {
          child.kill("SIGTERM");
          return ended;
        },
      };
    },
    async close() {
      for (const { child } of running) child.kill("SIGKILL");
      await Promise.all([database.drop(), slot.release()]);
      remove();
    },
  };
}

/** Finds where a started engine says that it serves. */
export function addressIn(said: string): string | undefined {
  return /serves on (http:[^\s"]+)/.exec(said)?.[1];
}
