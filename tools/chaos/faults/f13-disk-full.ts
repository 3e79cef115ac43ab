import { execFile } from "node:child_process";
import { closeSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { answersBegun } from "../checks/good-answers.ts";
import type { Fault, FaultContext } from "../fault.ts";

const ROOM_MB = 48;
const FULL_S = 8;
const ANSWER_WITHIN_MS = 2_750;
const run = promisify(execFile);

const clusterOf = ({ servers }: Pick<FaultContext, "servers">): string =>
  join(servers.folder, "postgres", "data", "cluster");

/** Writes a file that uses all free space. */
function fillDisk(file: string): void {
  const descriptor = openSync(file, "w");
  const block = Buffer.alloc(1 << 18);
  try {
    for (;;) writeSync(descriptor, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** Fills PostgreSQL's disk during sales. The disk is a small one in memory, so this needs root. */
export const fault: Fault = {
  id: "F13",
  title: "PostgreSQL's disk is full",
  async prepare(context) {
    const cluster = clusterOf(context);
    const postgres = context.servers.server("postgres");
    await postgres.stop();
    const { uid, gid } = statSync(cluster);
    const { stdout } = await run("du", ["-sm", cluster]);
    renameSync(cluster, `${cluster}.disk`);
    mkdirSync(cluster);
    const size = Number.parseInt(stdout, 10) + ROOM_MB;
    await run("mount", [
      "-t",
      "tmpfs",
      "-o",
      `size=${size}m,mode=0700,uid=${uid},gid=${gid}`,
      "tmpfs",
      cluster,
    ]);
    await run("cp", ["-a", `${cluster}.disk/.`, cluster]);
    await postgres.restart();
  },
  async run(context) {
    const { servers, market, phase, forSeconds, mark, expect, note } = context;
    const filler = join(clusterOf(context), "filler");
    const postgres = servers.server("postgres");
    const fullMs = performance.now();
    await phase("no room is left", async () => {
      fillDisk(filler);
      await forSeconds(FULL_S);
      // Uses the space that the write-ahead log has released meanwhile.
      fillDisk(`${filler}.2`);
      await forSeconds(FULL_S / 2);
    });
    const roomMs = performance.now();
    mark();
    await phase("there is room again", async () => {
      for (const file of [filler, `${filler}.2`]) rmSync(file);
      // PostgreSQL stops if it cannot write its log.
      if (postgres.pid === undefined) await postgres.restart();
      await forSeconds(3);
    });
    const { slowestMs, bad } = answersBegun(
      market.journal.entries,
      fullMs,
      roomMs - ANSWER_WITHIN_MS,
    );
    const unclean = Object.keys(bad).filter(
      (kind) => !/ 503 (?:TRY_AGAIN|OUTCOME_UNKNOWN)$/.test(kind),
    );
    expect(
      unclean.length === 0,
      `with a full disk there were other bad answers: ${unclean.join(", ")}`,
    );
    expect(
      slowestMs <= ANSWER_WITHIN_MS,
      `with a full disk an answer took ${Math.round(slowestMs)} ms`,
    );
    expect(Object.keys(bad).length > 0, "the disk was never full: no purchase was refused");
    note(
      Object.entries(bad)
        .map(([kind, count]) => `${count} × ${kind}`)
        .join(", "),
    );
  },
  async afterwards(context) {
    const cluster = clusterOf(context);
    const postgres = context.servers.server("postgres");
    await postgres.stop();
    rmSync(`${cluster}.disk`, { recursive: true, force: true });
    await run("cp", ["-a", cluster, `${cluster}.disk`]);
    await run("umount", [cluster]);
    rmSync(cluster, { recursive: true });
    renameSync(`${cluster}.disk`, cluster);
    await postgres.restart();
  },
};
