// moleculer-runner starts each service from its file, as a process of its own. A purchase over HTTP
// crosses all of them.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { SERVICE_NAMES } from "../../config/services.ts";
import { openDatabase } from "../../lib/database/pool.ts";
import { freePort } from "../../tools/dev-servers/ports.ts";
import { ROOT } from "../../tools/root.ts";
import { peopleAt } from "../support/fixtures/accounts.ts";
import { addConcert } from "../support/fixtures/event-rows.ts";
import { patientClient } from "../support/fixtures/sales.ts";
import { httpClient } from "../support/http/http.ts";
import {
  type CommandWorld,
  openCommandWorld,
  START_MS,
  type StartedCommand,
} from "../support/processes/start-command.ts";
import { waitFor } from "../support/wait-for.ts";

/** As ARCHITECTURE.md has it, without npx. Moleculer has the same program as an ES module too. */
const RUNNERS = ["moleculer-runner.js", "moleculer-runner.mjs"].map((program) => [
  join(ROOT, "node_modules", "moleculer", "bin", program),
  ...["-c", "moleculer.config.ts", "--mask", "**/*.service.ts"],
]);

describe("moleculer-runner", () => {
  let world: CommandWorld;
  before(async () => (world = await openCommandWorld()));
  after(() => world.close());

  it("starts every service alone, and together they sell, book and stop", async () => {
    const [port, ...healthPorts] = await Promise.all([
      freePort(),
      ...SERVICE_NAMES.map(() => freePort()),
    ]);
    const nodes = new Map<string, StartedCommand>();
    for (const [index, name] of SERVICE_NAMES.entries())
      nodes.set(
        name,
        world.start(
          {
            SERVICEDIR: "services",
            SERVICES: name,
            NODE_ID: `${name}-1`,
            PORT: String(port),
            HEALTH_PORT: String(healthPorts[index]),
            RATE_LIMITS: "off",
          },
          RUNNERS[index % RUNNERS.length],
        ),
      );
    const said = (): string => [...nodes.values()].map((node) => node.said()).join("\n");
    for (const health of healthPorts)
      await waitFor(async () => (await fetch(`http://127.0.0.1:${health}/readyz`)).ok, {
        withinMs: START_MS,
        what: "every node is ready",
      }).catch((error: unknown) => assert.fail(`${String(error)}\n${said()}`));

    const database = openDatabase(world.database.url, "long");
    const eventId = await addConcert(database, { total: 5 }).finally(() => database.close());
    const ask = patientClient(httpClient(`http://127.0.0.1:${port}`));
    const { accessToken: token } = await peopleAt(ask).signedIn();
    const found = await ask("GET", "/api/events?name=concert");
    assert.deepEqual(
      (found.json?.items as { id: string; available: number }[]).map(({ id, available }) => [
        id,
        available,
      ]),
      [[eventId, 5]],
    );
    const bought = await ask("POST", `/api/events/${eventId}/tickets`, {
      token,
      json: { quantity: 2 },
    });
    assert.equal(bought.status, 201, bought.text);
    const listed = await ask("GET", "/api/tickets", { token });
    const ids = ({ json }: typeof listed, member: string): string[] =>
      (json?.[member] as { id: string }[]).map(({ id }) => id).sort();
    assert.deepEqual(ids(listed, "items"), ids(bought, "tickets"));
    const transaction = `/api/transactions/${bought.json?.transactionId as string}`;
    const isBooked = async (): Promise<boolean> =>
      (await ask("GET", transaction, { token })).json?.status === "completed";
    await waitFor(isBooked, { withinMs: 60_000, what: "The ledger booked the purchase" });

    for (const [name, node] of nodes) assert.equal(await node.stop(), 0, `${name}: ${said()}`);
  });
});
