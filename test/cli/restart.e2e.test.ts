// Fault F30, what nothing caught: the node logs it, stops in order, and is started again.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { readEngineFile } from "../../tools/engine/engine-file.ts";
import {
  type CommandWorld,
  openCommandWorld,
  START_MS,
} from "../support/processes/start-command.ts";
import { waitFor } from "../support/wait-for.ts";

/** Loads a module of one line into every Node process of the command. */
const planting = (code: string) => ({
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}`,
});

describe("boxoffice start, when its process fails", () => {
  let world: CommandWorld;
  before(async () => void (world = await openCommandWorld()));
  after(() => world.close());

  it("F30: an exception that nothing caught stops the node in order, and it is started again", async () => {
    const plant = 'process.on("SIGUSR2", () => { throw new Error("planted"); })';
    const command = world.start(planting(plant));
    const address = await command.address();
    const { pid } = readEngineFile(world.dataDir) ?? assert.fail("no engine.json");
    process.kill(pid, "SIGUSR2");
    await waitFor(() => command.said().includes("the engine's process is back"), {
      withinMs: START_MS,
    });
    const said = command.said();
    assert.match(said, /"place":"uncaught"[^\n]*planted[^\n]*was not caught: the node stops/);
    assert.match(said, /node stopped[^]*\(exit code 1\); starting it again now/);
    assert.equal((await fetch(`${address}/healthz`)).status, 200);
    assert.equal(await command.stop(), 0, command.said());
  });

  it("a first start that fails is not repeated", async () => {
    const command = world.start(planting('if (process.argv[2] === "node") process.exit(3)'));
    assert.equal(await command.exitCode(), 1);
    assert.match(command.said(), /did not start \(exit code 3\)/);
    assert.doesNotMatch(command.said(), /starting it again/);
  });
});
