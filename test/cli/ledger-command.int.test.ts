// boxoffice ledger on a running engine: output, exit codes, and confirmation before a change.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { connect, type ChannelModel } from "amqplib";
import { openDatabase, type Database } from "../../lib/database/pool.ts";
import { topologyOf } from "../../lib/queue/index.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { waitFor } from "../support/wait-for.ts";
import { runBoxoffice } from "../support/processes/boxoffice.ts";

describe("boxoffice ledger", () => {
  let engine: Engine;
  let database: Database;
  let model: ChannelModel;
  before(async () => {
    engine = await startEngine({ SERVICES: "ledger" });
    database = openDatabase(engine.environment.DATABASE_URL, "sale");
    model = await connect(engine.environment.AMQP_URL);
  });
  after(async () => {
    await model.close();
    await database.close();
    await engine.close();
  });

  const run = (...words: string[]) => runBoxoffice(engine.environment, ["ledger", ...words]);

  it("reconcile: 0 where nothing is wrong, 1 and a sentence where something is, 2 where it cannot be asked", async () => {
    assert.deepEqual(await run("reconcile"), {
      code: 0,
      out: "0 events compared: 0 differences, 0 mended.\n",
      error: "",
    });
    const eventId = randomUUID();
    assert.deepEqual(await run("reconcile", eventId), {
      code: 2,
      out: "",
      error: "There is no such event.\n",
    });
    await database.query({
      text: "INSERT INTO event_tickets VALUES (gen_random_uuid(), $1, gen_random_uuid(), '2099-01-01', '\\xab', 1, now())",
      values: [eventId],
    });
    const { code, out } = await run("reconcile", eventId);
    assert.equal(code, 1);
    assert.match(
      out,
      /^unknown-event {2}event [^]*\n {2}1 tickets, ledger rows and waiting rows name an event that does not exist/m,
    );
    assert.match(out, /0 events compared: 1 differences, 0 mended\.\n$/);
  });

  it("dead letters are shown, and replayed or deleted only after confirmation", async () => {
    const channel = await model.createChannel();
    const { deadQueue } = topologyOf();
    const dead = async (): Promise<number> => (await channel.checkQueue(deadQueue)).messageCount;
    const mine = `not json ${randomUUID()}`;
    const before = await dead();
    channel.sendToQueue(deadQueue, Buffer.from(mine), { persistent: true });
    await waitFor(async () => (await dead()) > before);
    const shown = await run("dead-letters");
    assert.equal(shown.code, 1);
    const id =
      new RegExp(`^([0-9a-f]{16}) {2}received .*cannot be read\\n {2}${mine}$`, "m").exec(
        shown.out,
      )?.[1] ?? assert.fail(shown.out);
    for (const destructive of [
      ["replay", id],
      ["discard", id],
    ]) {
      const { code, error } = await run(...destructive);
      assert.equal(code, 2);
      assert.match(error, /The input is no terminal, so add --yes to confirm\./);
    }
    assert.deepEqual(await run("discard", id, "--yes"), {
      code: 0,
      out: "1 deleted.\n",
      error: "",
    });
    assert.deepEqual(await run("replay", id, "--yes"), {
      code: 1,
      out: `No dead letter has the id ${id}.\n0 moved back into the queue, ${before} left.\n`,
      error: "",
    });
  });

  it("says how it is used, and what to do where no engine runs", async () => {
    for (const words of [
      [],
      ["reconcile", "x"],
      ["retry-failed"],
      ["replay", "x"],
      ["discard"],
      ["dead-letters", "x"],
    ]) {
      const { code, error } = await run(...words);
      assert.equal(code, 2);
      assert.match(error, /Usage: boxoffice ledger|Add --help for usage\.$/m);
    }
    assert.deepEqual(await run("retry-failed", randomUUID()), {
      code: 2,
      out: "",
      error: "There is no such event.\n",
    });
    const elsewhere = { DATA_DIR: `${engine.config.dataDir}/elsewhere` };
    const { code, error } = await runBoxoffice(elsewhere, ["ledger", "reconcile"]);
    assert.equal(code, 2);
    assert.match(error, /^No engine runs with its data in/);
  });
});
