import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Client } from "pg";
import { readEngineFile } from "../../tools/engine/engine-file.ts";
import { startedAt } from "../../tools/dev-servers/process-identity.ts";
import { outsideEnvironment } from "../../tools/process/outside-environment.ts";
import {
  rememberedServers,
  stillRunning,
  temporaryFolder,
} from "../support/processes/processes.ts";
import { startProgram } from "../support/processes/boxoffice.ts";
import { addressIn, START_MS } from "../support/processes/start-command.ts";
import { waitFor } from "../support/wait-for.ts";

/**
 * Runs the newcomer's own command in a process group of its own, as a terminal does, with nothing
 * configured but what is given.
 */
function npmStart(environment: Record<string, string>) {
  const npm = startProgram(
    ["npm", "start"],
    { ...outsideEnvironment(), PORT: "0", ...environment },
    { detached: true },
  );
  const pid = npm.child.pid ?? assert.fail("npm did not start");
  return {
    pid,
    said: npm.said,
    ended: npm.ended,
    kill: (signal: NodeJS.Signals) => npm.child.kill(signal),
    /** What Ctrl-C does: everybody in the foreground gets it, and npm passes it on once more. */
    ctrlC: () => process.kill(-pid, "SIGINT"),
    address: () =>
      waitFor(() => addressIn(npm.said()), { withinMs: START_MS, what: "npm start serves" }).catch(
        (error: unknown) => assert.fail(`${String(error)}\n${npm.said()}`),
      ),
  };
}

/**
 * The acceptance of a fresh machine: one command serves, and nothing stays behind however it ends.
 */
describe("npm start", () => {
  const { folder, remove } = temporaryFolder();
  const environment = { DATA_DIR: folder };
  after(remove);

  function everything(): { pid: number; started: string }[] {
    const engine = readEngineFile(folder) ?? assert.fail("no engine.json");
    const running = [...rememberedServers(folder), engine, engine.supervisor];
    assert.equal(
      stillRunning(running).length,
      7,
      "the engine, its supervisor, four servers, RabbitMQ's port mapper",
    );
    return running;
  }

  it("S33: serves by a role that is no superuser, tells other commands where, refuses a second engine, and leaves nothing when npm is killed", async () => {
    const npm = npmStart(environment);
    const address = await npm.address();
    assert.equal((await fetch(`${address}/healthz`)).status, 200);
    assert.equal(readEngineFile(folder)?.address, address);
    const { pid = 0, urls } = readEngineFile(folder) ?? {};
    const database = new Client({ connectionString: urls?.DATABASE_URL });
    await database.connect();
    const text = "SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user";
    const { rows } = await database.query(text).finally(() => database.end());
    const variables = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    assert.equal(statSync(join(folder, "engine.json")).mode & 0o777, 0o600);

    const second = npmStart(environment);
    assert.equal(await second.ended, 1);
    assert.ok(
      second
        .said()
        .includes(
          `already (process ${readEngineFile(folder)?.pid ?? 0}): it answers at ${address}`,
        ),
      second.said(),
    );

    const running = everything();
    npm.kill("SIGKILL");
    await waitFor(() => stillRunning(running).length === 0, { withinMs: START_MS });

    // Last: a failure before it would leave everything running.
    assert.deepEqual(rows, [{ rolname: "boxoffice_engine", rolsuper: false }]);
    assert.match(variables.join("\n"), /^DATABASE_URL=postgres:\/\/boxoffice_engine:/m);
    assert.doesNotMatch(variables.join("\n"), /^(?:MIGRATION|BACKUP)_DATABASE_URL/m);
  });

  it("serves again on its data, and stops with one Ctrl-C and exit code 0", async () => {
    const npm = npmStart(environment);
    await npm.address();
    const running = everything();
    npm.ctrlC();
    assert.equal(await npm.ended, 0, npm.said());
    assert.deepEqual(stillRunning(running), []);
    assert.equal(readEngineFile(folder), undefined);
    // What a second start and an orderly stop leave out is what would take long.
    assert.match(npm.said(), /the database is up to date/);
    assert.doesNotMatch(npm.said(), /install|migrated|starting it again|cleanly|exiting at once/);
    assert.match(npm.said(), /node stopped[^]*RabbitMQ stopped[^]*"msg":"stopped"/);
  });

  it("serves again when the engine's process is killed, on the same servers and address, and ends when that is told to", async () => {
    const npm = npmStart(environment);
    const address = await npm.address();
    const servers = rememberedServers(folder);
    const first = readEngineFile(folder) ?? assert.fail("no engine.json");
    const search = async () => (await fetch(`${address}/api/events?limit=1`)).status;
    assert.equal(await search(), 200);
    process.kill(first.pid, "SIGKILL");
    const another = await waitFor(
      () => {
        const engine = readEngineFile(folder);
        return engine?.pid === first.pid ? undefined : engine;
      },
      { withinMs: START_MS, what: "The engine serves again" },
    );
    assert.equal(await search(), 200);
    assert.deepEqual(rememberedServers(folder), servers);
    assert.equal(stillRunning(servers).length, servers.length);
    assert.deepEqual(another.supervisor, first.supervisor);
    assert.match(npm.said(), /process \d+ ended \(SIGKILL\); starting it again now/);
    assert.match(npm.said(), /the engine's process is back/);
    process.kill(another.pid, "SIGTERM");
    assert.equal(await npm.ended, 0, npm.said());
    assert.deepEqual(stillRunning([...servers, another, another.supervisor]), []);
  });

  it("leaves nothing when its supervisor is killed, and starts again while its servers still end", async () => {
    const npm = npmStart(environment);
    await npm.address();
    const running = everything();
    process.kill(readEngineFile(folder)?.supervisor.pid ?? assert.fail("no engine"), "SIGKILL");
    await npm.ended;
    const next = npmStart(environment);
    await next.address();
    assert.deepEqual(stillRunning(running), []);
    next.ctrlC();
    assert.equal(await next.ended, 0, next.said());
  });

  it("stops at Ctrl-C also while it is still starting", async () => {
    const npm = npmStart(environment);
    await waitFor(() => npm.said().includes("is up on port"), { withinMs: START_MS });
    const running = rememberedServers(folder);
    npm.ctrlC();
    assert.equal(await npm.ended, 0, npm.said());
    assert.deepEqual(stillRunning(running), []);
  });

  it("says what is wrong with its configuration, without a stack", async () => {
    const npm = npmStart({ ...environment, PORT: "door", RATE_LIMITS: "maybe" });
    assert.equal(await npm.ended, 1);
    assert.match(npm.said(), /PORT is "door"[^]*RATE_LIMITS is "maybe"/);
    assert.doesNotMatch(npm.said(), /\n\s+at /);
    assert.ok(startedAt(npm.pid) === undefined);
  });
});
