import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, afterEach, before, describe, it } from "node:test";
import type { Replayed } from "../../services/ledger/repair/repair.ts";
import {
  type Ledger,
  type LedgerWorld,
  openLedgerWorld,
} from "../support/fixtures/ledger-fixture.ts";
import { waitFor } from "../support/wait-for.ts";
import {
  BOOKED,
  deadLetterTools,
  messageFor,
  startConsumingLedger,
} from "./dead-letters-fixture.ts";

describe("the dead letters", () => {
  let world: LedgerWorld;
  let ledger: Ledger;
  before(async () => {
    world = await openLedgerWorld();
    ledger = await startConsumingLedger(world);
  });
  afterEach(async () => {
    await world.channel.purgeQueue(world.topology.deadQueue);
  });
  after(() => world.close());

  const { value, list, queueCounts, dead, send, bury, setCapacity, brokenEvent, mend } =
    deadLetterTools(() => ({ world, ledger }));

  it("F11: a poison message is put aside while others flow, and can be replayed", async () => {
    const poisoned = await brokenEvent();
    const other = await world.addEvent(10);
    await world.sell(other, [1]);
    world.tell(other, []);
    await waitFor(async () => (await world.numbers(other)).capacity === 9);

    const { waiting, letters } = await list();
    assert.equal(waiting, 1);
    const [letter] = letters;
    assert.ok(letter);
    assert.deepEqual(
      { ...letter, id: "", received: "" },
      {
        id: "",
        received: "",
        deaths: 1,
        reason: "delivery_limit",
        readable: true,
        bytes: messageFor(poisoned).length,
        content: messageFor(poisoned),
      },
    );
    assert.ok(
      Math.abs(Date.parse(letter.received ?? "") - Date.now()) < 60_000,
      `received at ${letter.received}`,
    );

    const tooEarly = await value<Replayed>("replay");
    assert.deepEqual([tooEarly.replayed, tooEarly.left], [0, 1]);
    assert.match(
      tooEarly.kept[0]?.sentence ?? "",
      /^2 failed rows of event .* still cannot be booked, and nothing was changed\. /,
    );
    assert.match(
      tooEarly.kept[0]?.sentence ?? "",
      /Capacity 4 and -5 not yet booked would make -1, which must be 0 to 10\./,
    );
    assert.equal((await world.numbers(poisoned)).failed, 2);

    await mend(poisoned);
    assert.deepEqual(await value("replay", { id: letter.id }), { replayed: 1, left: 0, kept: [] });
    assert.deepEqual(await world.numbers(poisoned), BOOKED);
    await waitFor(async () => (await queueCounts()).ready === 0);
    assert.equal(await dead(), 0);
  });

  it("a replay books the broken event of a message whose other events were booked", async () => {
    const [good, poisoned] = [await world.addEvent(10), await world.addEvent(10)];
    for (const eventId of [good, poisoned]) await world.sell(eventId, [3, 2]);
    await setCapacity(poisoned, 4);
    send(
      JSON.stringify({
        eventId: good,
        transactionIds: [],
        more: [{ eventId: poisoned, transactionIds: [] }],
      }),
      world.topology.queue,
    );
    await waitFor(async () => (await dead()) === 1);
    assert.deepEqual(await world.numbers(good), BOOKED);
    assert.equal((await world.numbers(poisoned)).failed, 2);
    const tooEarly = await value<Replayed>("replay");
    assert.deepEqual([tooEarly.replayed, tooEarly.kept.length], [0, 1]);
    assert.ok(
      tooEarly.kept[0]?.sentence.startsWith(`2 failed rows of event ${poisoned} still`),
      tooEarly.kept[0]?.sentence,
    );
    await mend(poisoned);
    assert.deepEqual(await value("replay"), { replayed: 1, left: 0, kept: [] });
    assert.deepEqual([await world.numbers(good), await world.numbers(poisoned)], [BOOKED, BOOKED]);
    await waitFor(async () => (await queueCounts()).ready === 0);
  });

  it("a replay makes the ledger book pending rows, with a new count of deliveries", async () => {
    const eventId = await world.addEvent(10);
    await world.sell(eventId, [3, 2]);
    await bury(messageFor(eventId));
    assert.deepEqual(await value("replay"), { replayed: 1, left: 0, kept: [] });
    await waitFor(async () => (await world.numbers(eventId)).pending === 0);
    assert.deepEqual(await world.numbers(eventId), BOOKED);
  });

  it("listing them repeatedly loses none and stays below RabbitMQ's delivery limit", async () => {
    const huge = Buffer.concat([Buffer.from("huge\u0000\n\u001b[31m"), randomBytes(300_000)]);
    await bury(huge, "", messageFor(randomUUID()), '{"password":"open sesame"}');
    for (let look = 0; look < 25; look += 1) {
      const { waiting, letters } = await list();
      assert.equal(waiting, 4);
      assert.deepEqual(letters.map(({ bytes }) => bytes).sort((a, b) => a - b)[3], huge.length);
      for (const { content } of letters) {
        assert.ok(content.length <= 200);
        assert.doesNotMatch(content, /\p{C}|sesame/u);
      }
    }
    const counts: number[] = [];
    for (
      let taken = await world.channel.get(world.topology.deadQueue);
      taken !== false;
      taken = await world.channel.get(world.topology.deadQueue)
    ) {
      counts.push(Number(taken.properties.headers?.["x-delivery-count"] ?? 0));
      world.channel.ack(taken);
    }
    assert.equal(counts.length, 4);
    assert.ok(
      Math.max(...counts) <= 11,
      `RabbitMQ 4 drops what was delivered more than 20 times: ${counts.join()}`,
    );
    assert.ok(Math.max(...counts) >= 1);
  });

  it("are listed and replayed up to the given limit, which has bounds", async () => {
    const ids = Array.from({ length: 5 }, () => randomUUID());
    await bury(...ids.map(messageFor));
    assert.deepEqual(
      [(await list({ limit: 2 })).letters.length, (await list({ limit: 2 })).waiting],
      [2, 5],
    );
    assert.deepEqual(await value("replay", { limit: 2 }), { replayed: 2, left: 3, kept: [] });
    await waitFor(async () => (await dead()) === 3);
    for (const limit of [0, 1_001, 1.5])
      await assert.rejects(ledger.ask("deadLetters", { limit }), { type: "VALIDATION_ERROR" });
    await assert.rejects(ledger.ask("replay", { id: "x" }), { type: "VALIDATION_ERROR" });
  });

  it("an unreadable one returns after a replay, its deaths counted, until discarded", async () => {
    await bury("not json", messageFor(randomUUID()));
    const unread =
      (await list()).letters.find(({ readable }) => !readable) ?? assert.fail("not listed");
    const readable =
      (await list()).letters.find((letter) => letter.readable) ?? assert.fail("not listed");
    assert.equal(unread.content, "not json");
    assert.deepEqual(await value("replay", { id: unread.id }), { replayed: 1, left: 1, kept: [] });
    await waitFor(async () => (await dead()) === 2);
    assert.equal((await list()).letters.find(({ id }) => id === unread.id)?.deaths, 1);
    await value("replay", { id: unread.id });
    await waitFor(async () => (await dead()) === 2);
    assert.equal((await list()).letters.find(({ id }) => id === unread.id)?.deaths, 2);

    assert.deepEqual(await value("discard", { id: readable.id }), { discarded: 0, readable: 1 });
    assert.deepEqual(await value("discard", { id: unread.id }), { discarded: 1, readable: 0 });
    await waitFor(async () => (await dead()) === 1);
    assert.deepEqual(await value("discard", { id: unread.id }), { discarded: 0, readable: 0 });
  });
});
