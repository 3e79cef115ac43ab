// Redis frozen or killed during an import: later it holds what was imported, without a purchase.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { EventRecord } from "../../domain/event-record.ts";
import { eventId } from "../../lib/ids.ts";
import {
  availableKey,
  GENERATION_KEY,
  readAvailable,
  writeAvailability,
} from "../../lib/availability/availability-cache.ts";
import { demoEvents } from "../../tools/demo/demo-catalog.ts";
import { type RunningServers, startServers } from "../../tools/dev-servers/servers.ts";
import { type CatalogWorld, openCatalogWorld } from "../support/fixtures/catalog-fixture.ts";
import { freezeProcess } from "../../tools/testing/freeze-process.ts";
import { temporaryFolder } from "../support/processes/processes.ts";
import { waitFor } from "../support/wait-for.ts";

const NOW = Date.parse("2027-03-10T12:00:00Z");
const NEVER_MS = Date.parse("2099-01-01T00:00:00Z");

describe("copies that Redis could not take from an import", () => {
  const { folder, remove } = temporaryFolder();
  let servers: RunningServers;
  let world: CatalogWorld;
  let record: EventRecord;
  let id: string;
  before(async () => {
    servers = await startServers({
      dataDir: folder,
      only: ["redis"],
      report: () => undefined,
      restart: false,
      throwaway: true,
    });
    world = await openCatalogWorld(NOW, { redisUrl: servers.urls.REDIS_URL ?? "" });
    record = [...demoEvents(1, NOW, 300)][0] ?? assert.fail("an event");
    id = eventId(record);
    await world.import([record]);
  });
  after(async () => {
    await world.close();
    await servers.stop();
    remove();
  });

  const copied = async (): Promise<number | undefined> => {
    const { redis } = world;
    return readAvailable(
      await redis.get(availableKey(id)).catch(() => undefined),
      redis.runId() ?? "",
    );
  };
  const isAway = async (): Promise<boolean> => {
    await world.redis.ping().catch(() => undefined);
    return world.redis.status !== "ready";
  };
  /** As a worker of before the import would, that is late or repeats. */
  const sellsOn = (available: number) =>
    writeAvailability(world.redis, [
      { eventId: id, available, epoch: 5, batch: 9, endsAtMs: NEVER_MS },
    ]);

  it("frozen, it has them a moment after it goes on, and no page of before is fresh", async () => {
    await sellsOn(record.totalCapacity - 1);
    const generation = await world.redis.get(GENERATION_KEY);
    const { pid } = servers.server("redis");
    assert.ok(pid !== undefined && generation !== null);
    freezeProcess(pid, true);
    try {
      // From here on nothing waits in its socket to be read later.
      await waitFor(isAway, { withinMs: 10_000 });
      assert.deepEqual(await world.import([{ ...record, totalCapacity: 71 }]), [
        { outcome: "updated" },
      ]);
    } finally {
      freezeProcess(pid, false);
    }
    await waitFor(async () => (await copied()) === 71, {
      withinMs: 10_000,
      what: "what is left, as imported",
    });
    assert.notEqual(await world.redis.get(GENERATION_KEY), generation);
  });

  it("killed, it has them after its restart, though an older worker wrote first", async () => {
    servers.server("redis").kill("SIGKILL");
    await waitFor(isAway, { withinMs: 10_000 });
    assert.deepEqual(await world.import([{ ...record, totalCapacity: 72 }]), [
      { outcome: "updated" },
    ]);
    await servers.server("redis").restart();
    await waitFor(() => world.redis.runId() !== undefined, { withinMs: 10_000 });
    await sellsOn(record.totalCapacity - 2);
    await waitFor(async () => (await copied()) === 72, {
      withinMs: 10_000,
      what: "what is left, as imported",
    });
  });
});
