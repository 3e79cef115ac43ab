import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, describe, it } from "node:test";
import { PREFIX_MAX } from "../../lib/database/ledger-booking.ts";
import {
  applyEvents,
  quarantinePending,
} from "../../services/ledger/booking/transaction-consumer.ts";
import type { Retried } from "../../services/ledger/repair/repair.ts";
import {
  type Ledger,
  type LedgerWorld,
  openLedgerWorld,
} from "../support/fixtures/ledger-fixture.ts";
import { BOOKED, deadLetterTools, startConsumingLedger } from "./dead-letters-fixture.ts";

describe("the failed rows of a broken event", () => {
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

  const { value, brokenEvent, mend } = deadLetterTools(() => ({ world, ledger }));

  it("failed rows are booked after a repair, all or none, also without RabbitMQ", async () => {
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
      sentence:
        `2 failed rows of event ${eventId} are booked; ` + "its capacity and the ledger have them.",
    });
    assert.deepEqual(await world.numbers(eventId), BOOKED);
    assert.match(
      (await value<Retried>("retryFailed", { eventId })).sentence,
      /has no failed rows; nothing was done/,
    );
    assert.deepEqual(await ledger.ask("retryFailed", { eventId: randomUUID() }), {
      ok: false,
      refusal: { code: "EVENT_NOT_FOUND" },
    });
  });

  it("failed rows are booked in one step, since a part of them would break the CHECK", async () => {
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

  it("reports a failed row that the ledger has already", async () => {
    const eventId = await brokenEvent();
    await mend(eventId);
    await world.database.query({
      text: `
        INSERT INTO capacity_ledger
          (transaction_id, event_id, quantity, applied_at, epoch, batch)
        SELECT '\\x', event_id, quantity, now(), epoch, batch
        FROM event_ticket_transactions WHERE event_id = $1 AND quantity = -3`,
      values: [eventId],
    });
    const { failed, sentence } = await value<Retried>("retryFailed", { eventId });
    assert.equal(failed, 2);
    assert.match(sentence, /2 of the rows that wait are in the ledger already/);
  });
});
