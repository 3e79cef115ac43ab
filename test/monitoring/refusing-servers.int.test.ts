// Redis at its maxmemory and RabbitMQ with an alarm refuse to write: the engine sells and searches,
// and says so once in the log, in the metrics and in /readyz. The file has servers of its own.
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { Redis } from "ioredis";
import { Troubles } from "../../lib/observability/troubles.ts";
import { openPublisher } from "../../lib/queue/index.ts";
import { openRedis, whenReady } from "../../lib/redis/client.ts";
import { controlRabbitmq } from "../../tools/testing/rabbitmq-control.ts";
import { type RunningServers, startServers } from "../../tools/dev-servers/servers.ts";
import { startWatchedEngine, type WatchedEngine } from "../support/monitoring/watched-engine.ts";
import { temporaryFolder } from "../support/processes/processes.ts";
import { waitFor } from "../support/wait-for.ts";

function collected(): { lines: string[]; log: Record<"info" | "warn" | "error", () => void> } {
  const lines: string[] = [];
  const add = (level: string) => (text?: string) => void lines.push(`${level}: ${text}`);
  return { lines, log: { info: add("info"), warn: add("warn"), error: add("error") } };
}

describe("servers that refuse to write", () => {
  let servers: RunningServers;
  let remove: () => void;
  let watched: WatchedEngine;
  before(async () => {
    const place = temporaryFolder();
    remove = place.remove;
    servers = await startServers({
      dataDir: place.folder,
      only: ["redis", "rabbitmq"],
      report: () => undefined,
      restart: false,
      throwaway: true,
    });
    const { REDIS_URL, AMQP_URL } = servers.urls;
    watched = await startWatchedEngine({ REDIS_URL, AMQP_URL });
    await watched.untilTroubles();
  });
  after(async () => {
    await watched.engine.close();
    await servers.stop();
    remove();
  });

  /** Sells and searches as ever. */
  async function goesOn(): Promise<void> {
    const { engine, buy, faults } = watched;
    const event = await engine.addEvent();
    const before = await faults();
    for (let count = 0; count < 5; count += 1) assert.equal(await buy(event), 201);
    const found = await fetch(`${engine.url}/api/events?limit=3`);
    assert.equal(found.status, 200);
    await found.body?.cancel();
    assert.equal(await faults(), before, "no fault of ours");
  }

  it("Redis at maxmemory", async () => {
    const url = servers.urls.REDIS_URL ?? "";
    const operator = new Redis(url);
    const { lines, log } = collected();
    const client = openRedis(url, log.warn, undefined, new Troubles(log));
    try {
      await whenReady(client, 5_000);
      await goesOn();
      assert.equal(await client.set("boxoffice-test", "1"), "OK");
      await operator.config("SET", "maxmemory-policy", "noeviction");
      await operator.config("SET", "maxmemory", "1mb");
      for (let count = 0; count < 20; count += 1)
        await assert.rejects(client.set("boxoffice-test", "1"), /OOM command not allowed/);
      await goesOn();
      await watched.untilTroubles("cache (memory-full)");
      await operator.config("SET", "maxmemory", "0");
      await watched.untilTroubles();
      await waitFor(() => lines.length > 1);
      assert.equal(lines.length, 2, lines.join("\n"));
      assert.match(lines[0] ?? "", /^warn: Redis has no memory left .*OOM command not allowed/);
      assert.match(lines[1] ?? "", /^info: Redis has memory again/);
      await goesOn();
    } finally {
      await operator.config("SET", "maxmemory", "0");
      operator.disconnect();
      client.disconnect();
    }
  });

  it("RabbitMQ with an alarm of memory", async () => {
    const { pid } = servers.server("rabbitmq");
    const { lines, log } = collected();
    const troubles = new Troubles(log);
    const url = servers.urls.AMQP_URL ?? "";
    const both = await Promise.all([1, 2].map(() => openPublisher({ url, log, troubles })));
    const publish = (): void => {
      for (const publisher of both) publisher.send(Buffer.from("{}"), 1);
    };
    try {
      await waitFor(() => both.every((publisher) => publisher.connected()));
      await goesOn();
      await controlRabbitmq(pid, "set_vm_memory_high_watermark", "0.0000001");
      // RabbitMQ blocks a connection when it publishes.
      await waitFor(async () => {
        publish();
        await wait(50);
        return troubles.isOn("queue");
      });
      await goesOn();
      await watched.untilTroubles("queue (blocked)");
      await controlRabbitmq(pid, "set_vm_memory_high_watermark", "0.4");
      await watched.untilTroubles();
      await waitFor(() => lines.length > 1);
      assert.equal(lines.length, 2, lines.join("\n"));
      assert.match(lines[0] ?? "", /^warn: RabbitMQ blocks publishers .*memory/);
      assert.match(lines[1] ?? "", /^info: RabbitMQ accepts messages again/);
      await waitFor(
        async () => {
          const [row] = await watched.engine.database.query<{ pending: number }>({
            text: "SELECT count(*)::integer AS pending FROM event_ticket_transactions",
          });
          return row?.pending === 0;
        },
        { withinMs: 60_000, what: "All sales are booked" },
      );
    } finally {
      await Promise.all(both.map((publisher) => publisher.close()));
    }
  });
});
