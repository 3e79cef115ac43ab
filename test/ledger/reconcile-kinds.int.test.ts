// Plants each kind of discrepancy once, in PostgreSQL or in Redis.
// Reconcile must name and explain each.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { GENERATION_KEY } from "../../lib/availability/availability-cache.ts";
import type { DifferenceKind } from "../../services/ledger/reconcile/discrepancy.ts";
import { openReconcileWorld, type ReconcileWorld } from "../support/fixtures/reconcile-fixture.ts";

describe("reconcile finds and explains", () => {
  let world: ReconcileWorld;
  before(async () => {
    world = await openReconcileWorld(9);
  });
  after(() => world.close());

  const livelyEvent = (): Promise<string> => world.livelyEvent("booked");
  const sabotage: ReconcileWorld["sabotage"] = (...sql) => world.sabotage(...sql);
  const found = async (eventId: string) => {
    const answer = await world.ledger.reconcile({ eventId });
    assert.ok(answer.ok);
    return answer.value.differences;
  };
  /** Changes the append-only ledger with the rights of its owner. */
  const forge = (text: string, eventId: string): Promise<unknown> =>
    world.database.transaction(async (connection) => {
      await connection.query({
        text: "ALTER TABLE capacity_ledger DISABLE TRIGGER capacity_ledger_append_only",
      });
      await connection.query({ text, values: [eventId] });
      await connection.query({
        text: "ALTER TABLE capacity_ledger ENABLE TRIGGER capacity_ledger_append_only",
      });
    });

  type Plant = {
    name: string;
    plant: (eventId: string) => Promise<unknown>;
    says: Partial<Record<DifferenceKind, RegExp>>;
  };
  const plants: Plant[] = [
    {
      name: "a capacity changed by hand",
      plant: (id) => sabotage("UPDATE event SET capacity = capacity + 1 WHERE id = $1", id),
      says: {
        capacity: new RegExp(
          "20 places less 5 active tickets leave 15; " +
            "capacity 17 and -1 not yet booked make 16\\. Importing",
        ),
      },
    },
    {
      name: "a total below what is sold",
      plant: (id) =>
        sabotage("UPDATE event SET capacity = 0, total_capacity = 3 WHERE id = $1", id),
      says: {
        available: /3 places less 5/,
        capacity: /3 places less 5/,
        oversold: /5 tickets are active, for 3 places: 2 people too many/,
      },
    },
    {
      name: "a batch's ledger row that was lost",
      plant: (id) => forge("DELETE FROM capacity_ledger WHERE event_id = $1 AND quantity = -5", id),
      says: { ledger: /must sum to -5; the ledger's 1 and -1 not yet booked make 0/ },
    },
    {
      name: "a ledger row whose quantity was changed",
      plant: (id) =>
        forge("UPDATE capacity_ledger SET quantity = -7 WHERE event_id = $1 AND quantity = -5", id),
      says: { ledger: /make -7/ },
    },
    {
      name: "an ownership row that sells more than is left",
      plant: (id) =>
        sabotage("UPDATE event_worker SET available = available + 2 WHERE event_id = $1", id),
      says: { available: /leave 15; the ownership row \(event_worker.available\) sells 17/ },
    },
    {
      name: "a row of no places",
      plant: (id) =>
        sabotage(
          `INSERT INTO capacity_ledger
          VALUES (decode(repeat('0c', 64), 'hex'), $1, gen_random_uuid(), 0, now())`,
          id,
        ),
      says: { "empty-rows": /1 rows of the ledger book 0 places/ },
    },
    {
      name: "a cancellation booked without a cancelled ticket",
      plant: (id) =>
        sabotage(
          `INSERT INTO capacity_ledger
          VALUES (decode(md5($1::text), 'hex'), $1::uuid, gen_random_uuid(), 1, now())`,
          id,
        ),
      says: {
        ledger: /make -4/,
        cancellation: /has 0 cancelled tickets of this event; cancellations of 1 are accounted for/,
      },
    },
    {
      name: "a ticket marked as cancelled without a cancellation",
      plant: (id) =>
        sabotage(
          `UPDATE event_tickets SET cancelled_at = now() WHERE id = (
            SELECT id FROM event_tickets
            WHERE event_id = $1 AND ordinal = 2 AND cancelled_at IS NULL LIMIT 1)`,
          id,
        ),
      says: {
        available: /4 active tickets/,
        capacity: /4 active tickets/,
        ledger: /4 tickets are active/,
      },
    },
    {
      name: "a ticket given to another customer by hand",
      plant: (id) =>
        sabotage(
          `UPDATE event_tickets SET user_id = gen_random_uuid() WHERE id = (
            SELECT id FROM event_tickets
            WHERE event_id = $1 AND ordinal = 2 AND cancelled_at IS NULL LIMIT 1)`,
          id,
        ),
      says: { ordinals: /not numbered/ },
    },
    {
      name: "a ticket put in place of another",
      plant: (id) =>
        sabotage("UPDATE event_tickets SET ordinal = 7 WHERE event_id = $1 AND ordinal = 3", id),
      says: { ordinals: /A purchase of 3 tickets has 3, but they are not numbered 1 to 3/ },
    },
    {
      name: "a waiting row that was lost",
      plant: (id) => sabotage("DELETE FROM event_ticket_transactions WHERE event_id = $1", id),
      says: {
        capacity: /16 and 0 not yet booked make 16/,
        ledger: /make -4/,
      },
    },
    {
      name: "a batch both booked and waiting",
      plant: (id) =>
        sabotage(
          `INSERT INTO capacity_ledger
            (transaction_id, event_id, quantity, applied_at, epoch, batch)
          SELECT '\\x', event_id, quantity, now(), epoch, batch
          FROM event_ticket_transactions WHERE event_id = $1`,
          id,
        ),
      says: {
        ledger: /make -6/,
        "booked-twice": /also waits to be booked, so it counts twice/,
      },
    },
    {
      name: "a row both booked and waiting",
      plant: (id) =>
        sabotage(
          `INSERT INTO capacity_ledger
          SELECT transaction_id, event_id, user_id, quantity, now()
          FROM event_ticket_transactions WHERE event_id = $1`,
          id,
        ),
      says: {
        ledger: /make -6/,
        transaction: /A purchase of 2/,
        "booked-twice": /also waits to be booked, so it counts twice/,
      },
    },
    {
      name: "a waiting row called completed",
      plant: (id) =>
        sabotage(
          "UPDATE event_ticket_transactions SET status = 'completed' WHERE event_id = $1",
          id,
        ),
      says: {
        capacity: /16 and 0/,
        ledger: /make -4/,
        "completed-rows": /1 waiting rows say "completed"/,
      },
    },
    {
      name: "a waiting row put aside",
      plant: (id) =>
        sabotage("UPDATE event_ticket_transactions SET status = 'failed' WHERE event_id = $1", id),
      says: { "failed-rows": /1 transactions could not be booked .* call ledger\.retryFailed/ },
    },
    {
      name: "an epoch set back",
      plant: (id) => sabotage("UPDATE event_worker SET batch = 0 WHERE event_id = $1", id),
      says: {
        epoch: /1 waiting rows carry an epoch and batch that the event's worker has not reached/,
      },
    },
    {
      name: "a worker's row that was lost",
      plant: (id) => sabotage("DELETE FROM event_worker WHERE event_id = $1", id),
      says: { epoch: /or the event has no worker's row/ },
    },
    {
      name: "an event moved without its tickets",
      plant: (id) => sabotage("UPDATE event SET date = '2099-02-01' WHERE id = $1", id),
      says: { "ticket-date": /6 tickets carry another date than their event/ },
    },
    {
      name: "nothing while an import's move of tickets is under way",
      plant: (id) =>
        sabotage("UPDATE event SET date = '2099-02-01', ticket_move_epoch = 1 WHERE id = $1", id),
      says: {},
    },
    {
      name: "an event that was deleted under its tickets",
      plant: async (id) => {
        await sabotage("DELETE FROM event_worker WHERE event_id = $1", id);
        await sabotage("DELETE FROM event WHERE id = $1", id);
      },
      says: {
        "unknown-event":
          /9 tickets, ledger rows and waiting rows name an event that does not exist/,
        epoch: /no worker's row/,
      },
    },
  ];

  for (const { name, plant, says } of plants) {
    it(name, async () => {
      const eventId = await livelyEvent();
      assert.deepEqual(await found(eventId), [], "nothing is wrong before");
      await plant(eventId);
      const before = await rows(eventId);
      const differences = await found(eventId);
      assert.deepEqual(
        [...new Set(differences.map(({ kind }) => kind))].sort(),
        Object.keys(says).sort(),
      );
      for (const [kind, words] of Object.entries(says))
        assert.match(
          differences.find((difference) => difference.kind === kind)?.sentence ?? "",
          words,
        );
      assert.deepEqual(await rows(eventId), before, "PostgreSQL is never changed");
      assert.ok(differences.every(({ mended }) => !mended));
    });
  }
  /** All rows of an event in PostgreSQL, as one digest. */
  const rows = async (eventId: string): Promise<unknown> =>
    world.database.query({
      text: `
        SELECT md5(string_agg(row, ',' ORDER BY row)) AS all FROM (
          SELECT event::text AS row FROM event WHERE id = $1
          UNION ALL SELECT event_tickets::text FROM event_tickets WHERE event_id = $1
          UNION ALL SELECT capacity_ledger::text FROM capacity_ledger WHERE event_id = $1
          UNION ALL SELECT event_worker::text FROM event_worker WHERE event_id = $1
          UNION ALL
          SELECT event_ticket_transactions::text FROM event_ticket_transactions WHERE event_id = $1
        ) AS everything`,
      values: [eventId],
    });

  const run = (): string => world.redis.runId() ?? assert.fail("Redis is away");
  const put = (key: string, copy: object): Promise<unknown> =>
    world.redis.set(key, JSON.stringify({ run: run(), epoch: 1, batch: 1, ...copy }), "EX", 60);

  it("copies of events under the present generation", async () => {
    const eventId = await livelyEvent();
    const generation = randomUUID();
    await world.redis.set(GENERATION_KEY, generation, "EX", 60);
    const value = {
      id: eventId,
      name: "Concert",
      location: "Berlin",
      date: "2099-01-01",
      startTime: "20:00",
      totalCapacity: 20,
      status: "scheduled",
    };
    const key = `event:{${eventId}}`;
    await put(key, { generation, value });
    assert.deepEqual(await found(eventId), []);
    await put(key, { generation: "an earlier one", value: { ...value, totalCapacity: 99 } });
    assert.deepEqual(await found(eventId), [], "no reader takes it for fresh");
    await put(key, { generation, value: { ...value, status: "cancelled" } });
    assert.match((await found(eventId))[0]?.sentence ?? "", /status "cancelled", PostgreSQL "sch/);
    await put(key, { generation, value: { ...value, totalCapacity: 99 } });
    const [difference, ...others] = await found(eventId);
    assert.deepEqual(others, []);
    assert.match(
      difference?.sentence ?? "",
      /^Redis says of the event: totalCapacity 99, PostgreSQL 20\. The copy was deleted/,
    );
    assert.equal(await world.redis.exists(key), 0);
  });
});
