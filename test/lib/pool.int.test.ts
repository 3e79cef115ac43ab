// The pool of connections to a PostgreSQL that opens them slowly, through a proxy with latency.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Database, isUnavailable, openDatabase } from "../../lib/database/pool.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { openTcpProxy, type TcpProxy } from "../../tools/chaos/network/tcp-proxy.ts";
import { waitFor } from "../support/wait-for.ts";

/** A connection takes several round trips, a statement takes one. */
const LATENCY_MS = 250;

describe("the pool of a PostgreSQL that opens connections slowly", () => {
  let engine: Engine;
  let proxy: TcpProxy;
  let database: Database;
  before(async () => {
    engine = await startEngine({ SERVICES: "auth" });
    proxy = await openTcpProxy(engine.config.databaseUrl ?? "");
    database = openDatabase(proxy.url, "worker");
  });
  after(async () => {
    await database.close();
    await proxy.close();
    await engine.close();
  });

  it("gives the connection that one caller gave up to the next", async () => {
    proxy.slow(LATENCY_MS);
    const ask = () => database.query<{ one: number }>({ text: "SELECT 1 AS one" });
    await assert.rejects(ask(), (error) => isUnavailable(error));
    await waitFor(() => database.load().idle === 1, {
      withinMs: 10_000,
      what: "The connection is open",
    });
    assert.deepEqual(await ask(), [{ one: 1 }]);
  });
});
