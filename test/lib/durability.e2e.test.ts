// A 201 means that the sale survives a power cut: the engine looks at PostgreSQL's settings.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { readConfig } from "../../config/index.ts";
import { durabilityProblems } from "../../lib/database/durability.ts";
import { openDatabase } from "../../lib/database/pool.ts";
import { startNode } from "../../main.ts";
import {
  type DurablePostgres,
  startDurablePostgres,
} from "../support/processes/durable-postgres.ts";
import { serverUrls } from "../support/processes/servers.ts";
import { openCommandWorld } from "../support/processes/start-command.ts";
import { waitFor } from "../support/wait-for.ts";

describe("a server that may lose what it has confirmed", () => {
  let postgres: DurablePostgres;
  before(async () => (postgres = await startDurablePostgres()));
  after(() => postgres.stop());

  const problems = async (): Promise<string[]> => {
    const database = openDatabase(postgres.engineUrl, "sale", { poolMax: 1 });
    try {
      return (await durabilityProblems(database)).lies;
    } finally {
      await database.close();
    }
  };
  const startInProduction = () => {
    const { AMQP_URL, REDIS_URL, TRANSPORTER } = serverUrls();
    const config = readConfig({
      AMQP_URL,
      REDIS_URL,
      TRANSPORTER,
      DATABASE_URL: postgres.engineUrl,
      BUS_NAMESPACE: `test-${randomUUID()}`,
      SERVICES: "auth",
      LOG_LEVEL: "fatal",
    });
    return startNode({ ...config, production: true });
  };

  it("is not the private one, whose pages have checksums", async () => {
    const database = openDatabase(postgres.engineUrl, "sale", { poolMax: 1 });
    assert.deepEqual(await durabilityProblems(database), { lies: [], advice: [] });
    await database.close();
    const node = await startInProduction();
    await node.stop();
  });

  for (const [name, value, words] of [
    ["fsync", "off", /^fsync is off, .* set fsync = on/],
    ["full_page_writes", "off", /^full_page_writes is off/],
    ["synchronous_commit", "off", /^synchronous_commit is off, .* for the engine's role/],
  ] as const)
    it(`F22: production does not start with ${name} ${value}`, async () => {
      await postgres.set(name, value);
      const [problem = ""] = await waitFor(async () => {
        const found = await problems();
        return found.length > 0 ? found : undefined;
      });
      assert.match(problem, words);
      await assert.rejects(startInProduction(), (error: Error) => {
        assert.match(error.message, new RegExp(`${name} is off`));
        return true;
      });
      await postgres.set(name, undefined);
      await waitFor(async () => (await problems()).length === 0);
    });

  it("F20: production does not start if a commit does not wait for the standby", async () => {
    await postgres.set("synchronous_commit", "local");
    assert.deepEqual(await problems(), [], "without a standby it is enough");
    await postgres.set("synchronous_standby_names", "ANY 1 (*)");
    await waitFor(async () => (await problems()).length > 0);
    assert.match((await problems()).join(), /^synchronous_commit is local, which does not wait/);
    await assert.rejects(startInProduction(), /does not wait for the standby/);
  });

  it("F22: development warns", async () => {
    const world = await openCommandWorld();
    const command = world.start({ LOG_LEVEL: "warn" });
    await command.address();
    await waitFor(() => /fsync is off.*full_page_writes is off/s.test(command.said()));
    await command.stop();
    await world.close();
  });
});
