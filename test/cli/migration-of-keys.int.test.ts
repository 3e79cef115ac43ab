// Swaps the keys of sales (migrations 0016 to 0018) while workers sell, cancel and book.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { lockEvents } from "../../lib/database/ledger-booking.ts";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import { postgresStore } from "../../services/purchasing/store/event-store.ts";
import { migrate, readMigrations } from "../../tools/database/migrations.ts";
import { emptyDatabase, type FreshDatabase } from "../support/database.ts";
import { addConcert } from "../support/fixtures/event-rows.ts";
import { newTransactionId, saleOf } from "../support/fixtures/sale-fixture.ts";
import { waitFor } from "../support/wait-for.ts";

/** Last migration of the release before. */
const BEFORE = 15;
const TICKETS_BEFORE = 20_000;

/** Books as the ledger did before these migrations: later tables are not there yet. */
const BOOK_THEN = `
  WITH taken AS (
    DELETE FROM event_ticket_transactions WHERE event_id = $1 AND status = 'pending'
    RETURNING quantity
  )
  UPDATE event SET capacity = capacity + (SELECT coalesce(sum(quantity), 0) FROM taken)
  WHERE id = $1`;

describe("the swap of the keys of sales", () => {
  let fresh: FreshDatabase;
  let sales: Database;
  before(async () => {
    fresh = await emptyDatabase();
    await migrate(fresh.url, readMigrations().slice(0, BEFORE));
    sales = openDatabase(fresh.url, "worker");
  });
  after(async () => {
    await sales.close();
    await fresh.drop();
  });

  it("refuses no sale, cancellation or booking", async () => {
    const eventId = await addConcert(sales, { total: 1_000_000 });
    for (let part = 0; part < 10; part += 1)
      await sales.query({
        text: `INSERT INTO event_tickets
            (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at)
          SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '2099-01-01',
            sha512(uuid_send(gen_random_uuid())), 1, now() FROM generate_series(1, $1)`,
        values: [TICKETS_BEFORE / 10],
      });
    const store = postgresStore(sales, "node");
    const epoch = (await store.takeEpoch(eventId)) ?? 0;
    const event = await store.loadEvent(eventId);
    const ends: string[] = [];
    let stopped = false;
    const selling = (async () => {
      let cancelled: Parameters<typeof store.commit>[1]["cancelled"] = [];
      for (let batch = 0; !stopped; batch += 1) {
        const changes = { ...saleOf(event, 2), cancelled };
        const { type } = await store.commit({ eventId, epoch, batch }, changes);
        ends.push(type);
        const [sale] = changes.sold;
        cancelled = (sale?.ticketIds ?? []).slice(1).map((ticketId) => {
          return { ticketId, userId: sale?.userId ?? "", transactionId: newTransactionId() };
        });
        if (batch % 10 === 0)
          await sales.transaction(async (connection) => {
            await lockEvents(connection, [eventId]);
            await connection.query({ text: BOOK_THEN, values: [eventId] });
          });
      }
    })();
    await waitFor(() => ends.length > 20);
    const applied = await migrate(fresh.url, readMigrations());
    assert.ok(applied.some((name) => name.startsWith("0018")));
    const during = ends.length;
    await waitFor(() => ends.length > during + 20);
    stopped = true;
    await selling;
    assert.deepEqual([...new Set(ends)], ["committed"]);
    assert.ok(during > 30, `${during} batches`);
  });
});
