// boxoffice demo fills the catalog of an engine that runs elsewhere, once. It leaves one alone that
// has events of its own.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Engine, startEngine } from "../support/engine.ts";
import { runBoxoffice } from "../support/processes/boxoffice.ts";

describe("boxoffice demo", () => {
  let engine: Engine;
  before(async () => {
    engine = await startEngine({ SERVICES: "catalog" });
  });
  after(() => engine.close());

  const run = () =>
    runBoxoffice(
      {
        ...engine.environment,
        DATA_DIR: engine.config.dataDir,
        BUS_NAMESPACE: engine.config.namespace,
        INTERNAL_TOKEN_SECRET: engine.config.internalTokenSecret,
      },
      ["demo"],
    );
  const events = async (): Promise<number> => {
    const [row] = await engine.database.query<{ count: number }>({
      text: "SELECT count(*)::int AS count FROM event WHERE source = 'demo'",
    });
    return row?.count ?? assert.fail();
  };

  it("adds the demo events once, and none beside those of a feed", async () => {
    const first = await run();
    assert.match(first.out, /^added (\d+) demo events to the catalog/, first.error);
    const count = await events();
    assert.ok(count > 1_000 && first.out.includes(`added ${count} `), first.out);
    const second = await run();
    assert.deepEqual([second.out, second.code, await events()], ["", 0, count]);
    await engine.database.query({
      text: `UPDATE event SET source = CASE WHEN id = (SELECT min(id::text)::uuid FROM event)
        THEN 'json' ELSE source END`,
    });
    await engine.database.query({ text: "DELETE FROM event WHERE source = 'demo'" });
    assert.deepEqual([(await run()).code, await events()], [0, 0]);
  });
});
