// F11's other half: what was put aside can be looked at, replayed and, where it cannot be read, thrown away; nothing is lost on the way.
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, afterEach, before, describe, it } from "node:test";
import { PREFIX_MAX } from "../../lib/database/ledger-booking.ts";
import type { DeadLetter } from "../../lib/queue/dead-letters.ts";
import { overDeadLetters } from "../../lib/queue/dead-letters.ts";
import { inspectTopology } from "../../lib/queue/topology.ts";
import { applyEvents, quarantinePending } from "../../services/ledger/booking/book-events.ts";
import type { Replayed, Retried } from "../../services/ledger/repair/repair.ts";
import { type Ledger, type LedgerWorld, openLedgerWorld } from "../support/ledger-fixture.ts";
import { openTcpProxy, type TcpProxy } from "../../tools/chaos/network/tcp-proxy.ts";
import { waitFor } from "../support/wait-for.ts";

type Listed = { waiting: number; letters: DeadLetter[] };

describe("the dead letters", () => {
  let world: LedgerWorld;
  let ledger: Ledger;
  let proxy: TcpProxy | undefined;
  before(async () => {
    world = await openLedgerWorld();
    ledger = await world.startLedger();
    await waitFor(async () => (await ledger.status()).queue.consumers === 1);
  });
  afterEach(async () => {
    await proxy?.close();
    proxy = undefined;
    await world.channel.purgeQueue(world.topology.deadQueue);
  });
  after(() => world.close());

  const value = async <T>(action: string, params: object = {}): Promise<T> => {
    const answer = await ledger.ask<T>(action, params);
    return answer.ok ? answer.value : assert.fail(answer.refusal.code);
  };
  const list = (params: object = {}): Promise<Listed> => value("deadLetters", params);
  const dead = async (): Promise<number> =>
    (await inspectTopology(world.channel, world.topology)).dead;
  const send = (content: string | Buffer, queue = world.topology.queue): boolean =>
    world.channel.sendToQueue(queue, Buffer.from(content), { persistent: true });
  /** A dead letter without the wait for its death. */
  const bury = async (...contents: (string | Buffer)[]): Promise<void> => {
    const buried = (await dead()) + contents.length;
    for (const content of contents) send(content, world.topology.deadQueue);
    await waitFor(async () => (await dead()) === buried);
  };
  const messageFor = (eventId: string): string => JSON.stringify({ eventId, transactionIds: [] });
  /** Sales that cannot be booked, since somebody has taken the places away by hand; their message dies, and the rows are put aside. */
  const brokenEvent = async (): Promise<string> => {
    const eventId = await world.addEvent(10);
    await world.sell(eventId, [3, 2]);
    await world.database.query({
      text: "UPDATE event SET capacity = 4 WHERE id = $1",
      values: [eventId],
    });
    const buried = await dead();
    world.tell(eventId, []);
    await waitFor(async () => (await dead()) === buried + 1);
    assert.equal((await world.numbers(eventId)).failed, 2);
    return eventId;
  };
  const mend = (eventId: string): Promise<unknown> =>
    world.database.query({
      text: "UPDATE event SET capacity = 10 WHERE id = $1",
      values: [eventId],
    });
  const booked = { capacity: 5, pending: 0, failed: 0, booked: -5, bookedRows: 2 };

  it("F11: a poison message is put aside while others flow, and a replay applies it once its event is mended", async () => {
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
      /^2 failed rows of event .* still cannot be booked, and nothing was changed\. Capacity 4 and -5 not yet booked would make -1, which must be 0 to 10\./,
    );
    assert.equal((await world.numbers(poisoned)).failed, 2);

    await mend(poisoned);
    assert.deepEqual(await value("replay", { id: letter.id }), { replayed: 1, left: 0, kept: [] });
    assert.deepEqual(await world.numbers(poisoned), booked);
    await waitFor(async () => (await inspectTopology(world.channel, world.topology)).ready === 0);
    assert.equal(await dead(), 0);
  });

  it("a poisoned event spoils nobody it shares a message with, and the message is replayed once all its events can be booked", async () => {
    const [good, poisoned] = [await world.addEvent(10), await world.addEvent(10)];
    for (const eventId of [good, poisoned]) await world.sell(eventId, [3, 2]);
    await world.database.query({
      text: "UPDATE event SET capacity = 4 WHERE id = $1",
      values: [poisoned],
    });
    send(
      JSON.stringify({
        eventId: good,
        transactionIds: [],
        more: [{ eventId: poisoned, transactionIds: [] }],
      }),
      world.topology.queue,
    );
    await waitFor(async () => (await dead()) === 1);
    assert.deepEqual(await world.numbers(good), booked);
    assert.equal((await world.numbers(poisoned)).failed, 2);
    const tooEarly = await value<Replayed>("replay");
    assert.deepEqual([tooEarly.replayed, tooEarly.kept.length], [0, 1]);
    assert.ok(
      tooEarly.kept[0]?.sentence.startsWith(`2 failed rows of event ${poisoned} still`),
      tooEarly.kept[0]?.sentence,
    );
    await mend(poisoned);
    assert.deepEqual(await value("replay"), { replayed: 1, left: 0, kept: [] });
    assert.deepEqual([await world.numbers(good), await world.numbers(poisoned)], [booked, booked]);
    await waitFor(async () => (await inspectTopology(world.channel, world.topology)).ready === 0);
  });

  it("a replay brings pending rows to be booked by the ledger, which counts its deliveries anew", async () => {
    const eventId = await world.addEvent(10);
    await world.sell(eventId, [3, 2]);
    await bury(messageFor(eventId));
    assert.deepEqual(await value("replay"), { replayed: 1, left: 0, kept: [] });
    await waitFor(async () => (await world.numbers(eventId)).pending === 0);
    assert.deepEqual(await world.numbers(eventId), booked);
  });

  it("are looked at again and again and none is lost or worn, whatever is in them", async () => {
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

  it("are shown and replayed so many as asked for, and only with bounds", async () => {
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

  it("that cannot be read come back after the limit, with their deaths counted, until they are thrown away by id", async () => {
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

  it("are there still when whoever replays them dies between the confirm and the acknowledgement", async () => {
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
        const { ready, dead: left } = await inspectTopology(world.channel, world.topology);
        return ready + left >= 3 && left >= 1;
      });
      await world.channel.purgeQueue(world.topology.queue);
    } finally {
      ledger = await world.startLedger();
      await waitFor(async () => (await ledger.status()).queue.consumers === 1);
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
    ledger = await world.startLedger();
    await waitFor(async () => (await ledger.status()).queue.consumers === 1);
    assert.equal(await dead(), 1);
  });

  it("cannot be asked for while RabbitMQ is away or frozen, which is said within seconds", async () => {
    const rabbit = (proxy = await openTcpProxy(world.amqpUrl));
    const away = await world.startLedger({ amqpUrl: rabbit.url });
    const refusal = { ok: false, refusal: { code: "TRY_AGAIN" } };
    try {
      for (const trouble of ["away", "freeze"] as const) {
        rabbit[trouble](true);
        const startMs = performance.now();
        const answers = [
          away.ask("deadLetters"),
          away.ask("replay"),
          away.ask("discard", { id: "0".repeat(16) }),
        ];
        assert.deepEqual(await Promise.all(answers), [refusal, refusal, refusal], trouble);
        assert.ok(
          performance.now() - startMs < 6_000,
          `${trouble}: ${performance.now() - startMs} ms`,
        );
        rabbit[trouble](false);
      }
    } finally {
      await away.stop();
    }
  });

  it("failed rows are booked after they were mended, all or none, also without RabbitMQ", async () => {
    const eventId = await brokenEvent();
    const early = await value<Retried>("retryFailed", { eventId });
    assert.deepEqual([early.booked, early.failed], [0, 2]);
    assert.deepEqual(await world.numbers(eventId), {
      capacity: 4,
      pending: 0,
      failed: 2,
      booked: 0,
      bookedRows: 0,
    });
    await mend(eventId);
    assert.deepEqual(await value("retryFailed", { eventId: eventId.toUpperCase() }), {
      eventId,
      booked: 2,
      failed: 0,
      sentence: `2 failed rows of event ${eventId} are booked; its capacity and the ledger have them.`,
    });
    assert.deepEqual(await world.numbers(eventId), booked);
    assert.match(
      (await value<Retried>("retryFailed", { eventId })).sentence,
      /has no failed rows; nothing was done/,
    );
    assert.deepEqual(await ledger.ask("retryFailed", { eventId: randomUUID() }), {
      ok: false,
      refusal: { code: "EVENT_NOT_FOUND" },
    });
  });

  it("failed rows are booked at once, however many: older than what was booked meanwhile, a part of them would break the CHECK", async () => {
    const eventId = await world.addEvent(PREFIX_MAX);
    let sold: Awaited<ReturnType<typeof world.sell>> = [];
    for (let count = 0; count < PREFIX_MAX; count += 10_000)
      sold = await world.sell(eventId, Array<number>(10_000).fill(1));
    await world.cancelOne(eventId, sold[0] ?? assert.fail("nothing was sold"));
    const rows = PREFIX_MAX + 1;
    assert.equal(await quarantinePending(world.database, eventId), rows);
    await world.sell(eventId, [1]);
    assert.equal((await applyEvents(world.database, [eventId])).rows, 1);
    const { booked: retried, failed } = await value<Retried>("retryFailed", { eventId });
    assert.deepEqual([retried, failed], [rows, 0]);
    assert.deepEqual(await world.numbers(eventId), {
      capacity: 0,
      pending: 0,
      failed: 0,
      booked: -PREFIX_MAX,
      bookedRows: rows + 1,
    });
  });

  it("a failed row that the ledger has already is said to be so", async () => {
    const eventId = await brokenEvent();
    await mend(eventId);
    await world.database.query({
      text: "INSERT INTO capacity_ledger SELECT transaction_id, event_id, user_id, quantity, now(), epoch, batch FROM event_ticket_transactions WHERE event_id = $1 AND quantity = -3",
      values: [eventId],
    });
    const { failed, sentence } = await value<Retried>("retryFailed", { eventId });
    assert.equal(failed, 2);
    assert.match(sentence, /1 of the rows that wait are in the ledger already/);
  });
});
