import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { ServerName } from "../../tools/dev-servers/binaries.ts";
import { lockDataDir, writeEngineFile } from "../../tools/engine/engine-file.ts";
import { isFree } from "../../tools/dev-servers/ports.ts";
import { onFreePort } from "../../tools/dev-servers/probe.ts";
import { ServerProblem } from "../../tools/dev-servers/server-problem.ts";
import { startServers } from "../../tools/dev-servers/servers.ts";
import type { Supervised } from "../../tools/dev-servers/supervisor.ts";
import {
  rememberedServers,
  stillRunning,
  temporaryFolder,
} from "../support/processes/processes.ts";
import { waitFor } from "../support/wait-for.ts";

const asRoot = process.getuid?.() === 0;

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const { folder, remove } = temporaryFolder();
  try {
    await use(folder);
  } finally {
    assert.deepEqual(stillRunning(rememberedServers(folder)), [], "nothing runs on after trouble");
    remove();
  }
}

function startOne(dataDir: string, name: ServerName, lines: string[] = []) {
  return startServers({ dataDir, only: [name], report: (line) => lines.push(line), restart: true });
}

function problem(pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ServerProblem, String(error));
    assert.match(error.message, pattern);
    assert.equal(error.message.split("\n").length, 1, "one line");
    return true;
  };
}

/** What goes wrong on other people's machines is said in one line with what to do about it. */
describe("servers in trouble", { concurrency: true }, () => {
  it("say that a file stands where the data folder should be", () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, "file"), "");
      await assert.rejects(
        startOne(join(folder, "file", "data"), "redis"),
        problem(/cannot be used: a file stands where a folder is needed.*DATA_DIR/),
      );
    }));

  it("say that PostgreSQL's data is broken", () =>
    inFolder(async (folder) => {
      await (await startOne(folder, "postgres")).stop();
      const cluster = join(folder, "servers/postgres/data/cluster");
      rmSync(join(cluster, "global"), { recursive: true });
      await assert.rejects(
        startOne(folder, "postgres"),
        problem(/PostgreSQL did not start \(exit code 2?1?\).*global\/pg_control.*log: /),
      );
      rmSync(join(cluster, "PG_VERSION"));
      await assert.rejects(
        startOne(folder, "postgres"),
        problem(/cluster is broken \(no PG_VERSION\).*backup/),
      );
    }));

  it(
    "say that the disk is full, with the server's own words",
    { skip: !asRoot && "only root can mount a small disk" },
    () =>
      inFolder(async (folder) => {
        const disk = join(folder, "disk");
        mkdirSync(disk);
        assert.equal(
          spawnSync("mount", ["-t", "tmpfs", "-o", "size=12m,mode=755", "tmpfs", disk]).status,
          0,
        );
        try {
          await assert.rejects(
            startOne(disk, "postgres"),
            problem(/could not be made: .*No space left on device/),
          );
          writeFileSync(join(disk, "ballast"), Buffer.alloc(4096));
          spawnSync("dd", ["if=/dev/zero", `of=${join(disk, "ballast")}`, "bs=64k"]);
          await assert.rejects(startOne(disk, "redis"), problem(/disk is full.*DATA_DIR/));
        } finally {
          spawnSync("umount", [disk]);
        }
      }),
  );

  it(
    "go elsewhere with one line where their users cannot enter",
    { skip: !asRoot && "others run as who they are" },
    () =>
      inFolder(async (folder) => {
        const lines: string[] = [];
        mkdirSync(join(folder, "closed", "data"), { recursive: true });
        chmodSync(join(folder, "closed"), 0o700);
        const servers = await startOne(join(folder, "closed", "data"), "redis", lines);
        await servers.stop();
        assert.match(servers.folder, /^\/var\/lib\/boxoffice-[0-9a-f]{12}$/);
        assert.equal(lines.filter((line) => line.includes(servers.folder)).length, 1);
        assert.ok(existsSync(join(servers.folder, "redis")));
        rmSync(servers.folder, { recursive: true });
      }),
  );

  it("stay down, and say so, when they die again and again", () =>
    inFolder(async (folder) => {
      const lines: string[] = [];
      const servers = await startOne(folder, "redis", lines);
      appendFileSync(join(folder, "servers/redis/redis.conf"), "no-such-setting yes\n");
      servers.server("redis").kill("SIGKILL");
      await waitFor(
        () =>
          lines.some((line) =>
            line.startsWith("Redis died 5 times in quick succession and stays down. Its log: "),
          ),
        {
          withinMs: 20_000,
        },
      );
      assert.ok(
        lines.some((line) => line.includes("no-such-setting")),
        "its own words are passed on",
      );
      await servers.stop();
    }));

  it("take another port when somebody was faster", async () => {
    const tried: number[] = [];
    const server = await onFreePort(async (port) => {
      tried.push(port);
      if (tried.length === 1) throw new ServerProblem("X did not start: Address already in use");
      return { port } as Supervised;
    });
    assert.equal(tried.length, 2);
    assert.notEqual(server.port, tried[0]);
    assert.ok(await isFree(server.port));
  });

  it("end at once when they are told so while they start", () =>
    inFolder(async (folder) => {
      const abort = new AbortController();
      const start = startServers({
        dataDir: folder,
        report: (line) => line.startsWith("Redis") && abort.abort(),
        restart: true,
        abort: abort.signal,
      });
      await assert.rejects(start, ServerProblem);
    }));
});

describe("a data folder", () => {
  it("serves one engine, and names it to the second", () =>
    inFolder(async (folder) => {
      const release = lockDataDir(folder);
      const urls = { DATABASE_URL: "", REDIS_URL: "", AMQP_URL: "", TRANSPORTER: "" };
      const forget = writeEngineFile(folder, {
        nodeId: "n",
        address: "http://127.0.0.1:3000",
        urls,
        prometheusUrl: undefined,
      });
      assert.throws(
        () => lockDataDir(folder),
        problem(
          new RegExp(`already \\(process ${process.pid}\\): it answers at http://127.0.0.1:3000`),
        ),
      );
      forget();
      release();
      lockDataDir(folder)();
    }));

  it("is free again after an engine that was killed", () =>
    inFolder(async (folder) => {
      writeFileSync(
        join(folder, "engine.lock"),
        JSON.stringify({ pid: process.pid, started: "another time" }),
      );
      lockDataDir(folder)();
    }));
});
