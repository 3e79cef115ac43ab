// Tests the keys of the tables of sales, and the procedure that partitions them (ADR-0057).
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { newTicketId } from "../../lib/ids.ts";
import type { Changes, LoadedEvent } from "../../services/purchasing/worker/ports.ts";
import { partitionSales } from "../support/database.ts";
import {
  newTransactionId,
  openSaleWorld,
  type SaleWorld,
  saleOf,
} from "../support/fixtures/sale-fixture.ts";

const SALES = ["event_tickets", "event_ticket_transactions"];
const EVENTS = 30;

describe("the tables of sales", () => {
  let world: SaleWorld;
  before(async () => {
    world = await openSaleWorld();
  });
  after(() => world.close());

  const ask = <T extends object>(text: string): Promise<T[]> => world.database.query<T>({ text });
  const sell = async (eventId: string, changes: (event: LoadedEvent) => Changes) => {
    const store = world.store("node");
    const epoch = (await store.takeEpoch(eventId)) ?? 0;
    return store.commit({ eventId, epoch, batch: 0 }, changes(await store.loadEvent(eventId)));
  };
  const keyBroken = async (eventId: string, changes: (event: LoadedEvent) => Changes) => {
    const result = await sell(eventId, changes);
    return result.type === "failed" && "code" in result.error ? result.error.code : result.type;
  };

  const rejectsRepeats = async (): Promise<void> => {
    const [eventId, other] = [await world.addEvent(100), await world.addEvent(100)];
    let changes: Changes | undefined;
    const first = (event: LoadedEvent): Changes => (changes = saleOf(event, 2));
    assert.equal((await sell(eventId, first)).type, "committed");
    const [sale] = changes?.sold ?? [];
    assert.ok(sale);
    const anew = { ticketIds: [newTicketId(0), newTicketId(1)] };
    const sameSale = { ...sale, ...anew };
    const sameTickets = { ...sale, userId: randomUUID(), transactionId: newTransactionId() };
    for (const sold of [sameSale, sameTickets])
      assert.equal(
        await keyBroken(eventId, (event) => ({ event, sold: [sold], cancelled: [] })),
        "23505",
      );
    // What ADR-0057 gives up: nothing compares two events. Transactions name theirs.
    const elsewhere = (event: LoadedEvent): Changes => ({ event, sold: [sale], cancelled: [] });
    assert.equal(await keyBroken(other, elsewhere), "committed");
  };
  const definitions = () =>
    ask<{ definition: string }>(`
      SELECT definition FROM (
        SELECT replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') AS definition, indrelid
        FROM pg_index WHERE indisvalid
        UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid), conrelid FROM pg_constraint
        UNION ALL SELECT format('%s %s %s', attname, atttypid::regtype, attnotnull), attrelid
          FROM pg_attribute WHERE attnum > 0) AS defined
      WHERE indrelid IN ('event_tickets'::regclass, 'event_ticket_transactions'::regclass)
      ORDER BY definition`);
  const contents = () =>
    ask(`
      SELECT (SELECT md5(string_agg(ticket::text, '' ORDER BY id, event_id)) FROM event_tickets AS ticket),
        (SELECT md5(string_agg(waiting::text, '' ORDER BY transaction_id, event_id))
          FROM event_ticket_transactions AS waiting)`);

  it("have event_id in every unique key, so that they can be partitioned by it", async () => {
    const keys = await ask<{ key: string; has: boolean }>(`
      SELECT indexrelid::regclass::text AS key, EXISTS (SELECT FROM pg_attribute
        WHERE attrelid = indrelid AND attname = 'event_id' AND attnum = ANY (indkey)) AS has
      FROM pg_index WHERE indisunique AND indrelid IN ('event_tickets'::regclass,
        'event_ticket_transactions'::regclass, 'capacity_ledger'::regclass)`);
    assert.equal(keys.length, 5);
    assert.deepEqual(
      keys.filter(({ has }) => !has),
      [],
    );
  });

  it("refuse a transaction or a ticket twice in an event", rejectsRepeats);

  it("are partitioned with all rows and keys, and sell on without a restart", async () => {
    for (let count = 0; count < EVENTS; count += 1)
      await sell(await world.addEvent(10), (event) => saleOf(event, 3));
    const before = [await definitions(), await contents()];
    await partitionSales(world.databaseUrl);
    assert.deepEqual([await definitions(), await contents()], before);
    for (const table of SALES) {
      const parts = await ask<{ part: string }>(
        `SELECT DISTINCT tableoid::regclass::text AS part FROM ${table}`,
      );
      assert.ok(parts.length > 4, `${table} has rows in ${parts.length} partitions`);
      assert.ok(parts.every(({ part }) => part.startsWith(`${table}_`)));
    }
    await rejectsRepeats();
  });
});
