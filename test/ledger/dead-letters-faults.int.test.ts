import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, describe, it } from "node:test";
import { overDeadLetters } from "../../lib/queue/dead-letters.ts";
import { openTcpProxy, type TcpProxy } from "../../tools/chaos/network/tcp-proxy.ts";
import {
  type Ledger,
  type LedgerWorld,
  openLedgerWorld,
} from "../support/fixtures/ledger-fixture.ts";
import { waitFor } from "../support/wait-for.ts";
import { deadLetterTools, messageFor, startConsumingLedger } from "./dead-letters-fixture.ts";

describe("the dead letters over faults", () => {
  let world: LedgerWorld;
  let ledger: Ledger;
  let proxy: TcpProxy | undefined;
  before(async () => {
    world = await openLedgerWorld();
    ledger = await startConsumingLedger(world);
  });
  afterEach(async () => {
    await proxy?.close();
    proxy = undefined;
    await world.channel.purgeQueue(world.topology.deadQueue);
  });
  after(() => world.close());

  const { queueCounts, dead, bury } = deadLetterTools(() => ({ world, ledger }));

  it("survive a crash of the replaying process between confirm and acknowledgement", async () => {
    await ledger.stop();
    try {
      await bury(...Array.from({ length: 3 }, () => messageFor(randomUUID())));
      const rabbit = (proxy = await openTcpProxy(world.amqpUrl));
      let judged = 0;
      const died = await overDeadLetters(
        { url: rabbit.url, topology: world.topology },
        3,
        async () => {
          judged += 1;
          if (judged === 3) rabbit.cut();
          return "replay";
        },
      );
      assert.equal(died, undefined);
      await waitFor(async () => {
        const { ready, dead: kept } = await queueCounts();
        return ready + kept >= 3 && kept >= 1;
      });
      await world.channel.purgeQueue(world.topology.queue);
    } finally {
      ledger = await startConsumingLedger(world);
    }
  });

  it("stay where they are when the queue does not take them", async () => {
    await bury(messageFor(randomUUID()));
    const died = await overDeadLetters(
      { url: world.amqpUrl, topology: world.topology },
      1,
      async () => {
        await ledger.stop();
        await world.channel.deleteQueue(world.topology.queue);
        return "replay";
      },
    );
    assert.equal(died, undefined);
    ledger = await startConsumingLedger(world);
    assert.equal(await dead(), 1);
  });

  it("refuses within seconds while RabbitMQ is away or frozen", async () => {
    const rabbit = (proxy = await openTcpProxy(world.amqpUrl));
    const cutOff = await world.startLedger({ amqpUrl: rabbit.url });
    const refusal = { ok: false, refusal: { code: "TRY_AGAIN" } };
    try {
      for (const trouble of ["away", "freeze"] as const) {
        rabbit[trouble](true);
        const startMs = performance.now();
        const answers = [
          cutOff.ask("deadLetters"),
          cutOff.ask("replay"),
          cutOff.ask("discard", { id: "0".repeat(16) }),
        ];
        assert.deepEqual(await Promise.all(answers), [refusal, refusal, refusal], trouble);
        assert.ok(
          performance.now() - startMs < 6_000,
          `${trouble}: ${performance.now() - startMs} ms`,
        );
        rabbit[trouble](false);
      }
    } finally {
      await cutOff.stop();
    }
  });
});
