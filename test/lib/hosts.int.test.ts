// Two servers in DATABASE_URL: the engine finds the one that takes writes, and leaves it when it no
// longer does. Fault F20 of `npx boxoffice chaos` does so with a real standby.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { readConfig } from "../../config/index.ts";
import { createHostChooser, writableUrl } from "../../lib/database/hosts.ts";
import { type Database, isUnavailable, openDatabase } from "../../lib/database/pool.ts";
import { freePort } from "../../tools/dev-servers/ports.ts";
import {
  type DurablePostgres,
  startDurablePostgres,
} from "../support/processes/durable-postgres.ts";
import { waitFor } from "../support/wait-for.ts";

const READ_ONLY = "default_transaction_read_only";
const WRITE = { text: "UPDATE event SET name = name WHERE false" };
const PASSWORD = "0123456789abcdef0123456789abcdef";

describe("PostgreSQL of several hosts", () => {
  let one: DurablePostgres;
  let two: DurablePostgres;
  let url: string;
  let ports: string[];
  let database: Database;
  before(async () => {
    [one, two] = await Promise.all([startDurablePostgres(), startDurablePostgres()]);
    for (const { ownerUrl } of [one, two]) {
      const owner = openDatabase(ownerUrl, "sale", { poolMax: 1 });
      await owner.query({ text: `ALTER ROLE boxoffice_engine PASSWORD '${PASSWORD}'` });
      await owner.close();
    }
    ports = [one, two].map(({ engineUrl }) => new URL(engineUrl).port);
    const list = [await freePort(), ...ports].map((port) => `127.0.0.1:${port}`).join(",");
    const named = new URL(one.engineUrl).pathname;
    const DATABASE_URL = `postgres://boxoffice_engine:${PASSWORD}@${list}${named}`;
    url = readConfig({ DATABASE_URL }).databaseUrl ?? "";
    database = openDatabase(url, "sale");
  });
  after(async () => {
    await database.close();
    await Promise.all([one.stop(), two.stop()]);
  });

  const portOf = async (): Promise<string> => {
    const [row] = await database.query<{ port: number }>({
      text: "SELECT inet_server_port() AS port",
    });
    return String(row?.port);
  };
  const isChosen = async (port: string | undefined, chooser = () => writableUrl(url)) =>
    new URL(await chooser()).port === port;

  it("F20: is the one that takes writes, and the pool leaves one that no longer does", async () => {
    await two.set(READ_ONLY, "on");
    await waitFor(() => isChosen(ports[0]));
    await database.query(WRITE);
    assert.equal(await portOf(), ports[0]);

    await two.set(READ_ONLY, undefined);
    await one.set(READ_ONLY, "on");
    await waitFor(() => isChosen(ports[1]));
    // The first write of each connection hears it. None is used again.
    await waitFor(async () => {
      await database.query(WRITE);
      return true;
    });
    assert.equal(await portOf(), ports[1]);
    await one.set(READ_ONLY, undefined);
  });

  it("F20: is never a primary from before a promotion", async () => {
    const chooser = createHostChooser(url) ?? assert.fail();
    await two.promote();
    await waitFor(() => isChosen(ports[1], chooser), { withinMs: 30_000, what: "The new primary" });
    assert.ok(await isChosen(ports[1]), "of two that take writes, the newer timeline");
    await two.set(READ_ONLY, "on");
    const error = await waitFor(() =>
      chooser().then(
        () => undefined,
        (reason: unknown) => reason as Error & { code?: string },
      ),
    );
    assert.match(error.message, /takes writes: .*ECONNREFUSED.*a primary of before.*read-only/);
    assert.equal(error.code, "57P03");
    assert.ok(isUnavailable(error), "callers hear TRY_AGAIN");
    assert.ok(await isChosen(ports[0]), "who has not seen the promotion cannot know");
    await two.set(READ_ONLY, undefined);
    await waitFor(() => isChosen(ports[1], chooser));
  });
});
