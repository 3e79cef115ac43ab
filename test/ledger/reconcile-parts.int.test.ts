import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import { createMetrics } from "../../lib/observability/metrics.ts";
import {
  FIRST_ID,
  LAST_ID,
  nextSize,
  partFrom,
  type Position,
} from "../../services/ledger/reconcile/parts.ts";
import {
  CUSTOMERS_COMPARED,
  FOLLOW_THE_INDEX,
} from "../../services/ledger/reconcile/reconcile.sql.ts";
import { registerReconcileMetrics } from "../../services/ledger/reconcile/reconcile-metrics.ts";
import {
  reconcile,
  type ReconcileOptions,
  type Reconciliation,
} from "../../services/ledger/reconcile/reconcile.ts";
import { reconcileAll } from "../../tools/engine/reconcile.ts";
import { writeBulkSales } from "../support/fixtures/bulk-sales.ts";
import { type LedgerWorld, openLedgerWorld } from "../support/fixtures/ledger-fixture.ts";

const EVENTS = 1_500;
const LARGE = 60_000;
const SMALL = 90;
const SIZE = { rows: 10_000, events: 400 };

describe("reconcile of 200,000 tickets", () => {
  let world: LedgerWorld;
  let database: Database;
  before(async () => {
    world = await openLedgerWorld(3, 10);
    database = openDatabase(world.databaseUrl, "long");
    await writeBulkSales(database, { events: EVENTS, large: LARGE, small: SMALL });
  });
  after(async () => {
    await database.close();
    await world.close();
  });

  const run = async (options: Partial<ReconcileOptions> = {}): Promise<Reconciliation> =>
    (await reconcile(database, world.redis, { mend: false, size: SIZE, ...options })) ??
    assert.fail("the event is known");
  const sql = (text: string): Promise<unknown> => database.query({ text });
  const largeEvent = "md5('event 1')::uuid";

  it("reads bounded parts that cover each row once", async () => {
    let tickets = 0;
    let parts = 0;
    const large: string[] = [];
    for (let from: Position | undefined = { event: FIRST_ID }; from !== undefined; parts += 1) {
      const position: Position = from;
      const { part, next } = await database.transaction(async (connection) => {
        await connection.query({ text: FOLLOW_THE_INDEX });
        return partFrom(connection, position, undefined, SIZE);
      });
      from = next;
      if (part.of === "event") large.push(part.first);
      // Its customers follow.
      if (part.of === "event") continue;
      const bounds =
        part.of === "customers"
          ? [part.event, part.event, part.first, part.last]
          : [part.first, part.last, FIRST_ID, LAST_ID];
      const [row] = await database.query<{ tickets: number; events: number }>({
        text: `
          SELECT count(*)::integer AS tickets, (SELECT count(*)::integer FROM event
            WHERE id BETWEEN $1 AND $2) AS events
          FROM event_tickets
          WHERE event_id BETWEEN $1 AND $2 AND user_id BETWEEN $3 AND $4`,
        values: bounds,
      });
      assert.ok(row !== undefined && row.tickets <= SIZE.rows && row.events <= SIZE.events);
      tickets += row.tickets;
    }
    assert.equal(tickets, LARGE + (EVENTS - 1) * SMALL);
    assert.equal(large.length, 1);
    assert.ok(parts > 20 && parts < 40, `${parts} parts`);
  });

  it("reads customers of a large event without its other rows", async () => {
    for (const text of CUSTOMERS_COMPARED) {
      const rows = await database.transaction(async (connection) => {
        await connection.query({ text: FOLLOW_THE_INDEX });
        return connection.query<{ "QUERY PLAN": string }>({
          text: `EXPLAIN ${text
            .replaceAll("$1", largeEvent)
            .replaceAll("$2", `'${FIRST_ID}'`)
            .replaceAll("$3", "'10000000-0000-0000-0000-000000000000'")
            .replaceAll("$4", "10")}`,
        });
      });
      const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
      for (const table of ["event_tickets", "capacity_ledger"])
        assert.match(
          plan,
          new RegExp(` on ${table}[\\w ]+\\(.*\n +Index Cond: .*user_id >=`),
          plan,
        );
    }
  });

  it("makes parts smaller while PostgreSQL is slow, and large again", () => {
    const most = { rows: 50_000, events: 5_000 };
    assert.deepEqual(nextSize(most, 2_000, most), { rows: 12_500, events: 5_000 });
    assert.deepEqual(nextSize(most, 10, most), most);
    assert.equal(nextSize({ rows: 10_000, events: 5_000 }, 10, most).rows, 15_000);
    assert.equal(nextSize({ rows: 600, events: 5_000 }, 60_000, most).rows, 500);
  });

  it("finds nothing in sound tables, and goes on where time was up", async () => {
    assert.deepEqual(await run({ timeMs: 60_000 }), {
      events: EVENTS,
      differences: [],
      more: 0,
      copiesCompared: true,
    });
    const positions: string[] = [];
    const sum = await reconcileAll(
      (params) => run({ ...params, timeMs: 0 }),
      {},
      (_sum, next) => positions.push(next),
    );
    assert.equal(sum.events, EVENTS);
    assert.ok(positions.length > 10, `${positions.length} calls`);
    assert.equal(new Set(positions).size, positions.length);
  });

  it("shows its progress as metrics", async () => {
    const metrics = createMetrics();
    const watch = registerReconcileMetrics(metrics);
    const { next } = await run({ timeMs: 0, watch });
    const valueOf = async (name: string): Promise<number> =>
      Number(new RegExp(`^${name} (.+)$`, "m").exec(await metrics.text())?.[1]);
    const begun = await valueOf("boxoffice_reconcile_progress_ratio");
    assert.ok(begun > 0 && begun < 0.5, `${begun} after the first part`);
    assert.ok((await valueOf("boxoffice_reconcile_statement_seconds_count")) >= 3);
    await run({ timeMs: 60_000, from: next, watch });
    assert.equal(await valueOf("boxoffice_reconcile_progress_ratio"), 1);
    assert.equal(await valueOf("boxoffice_reconciled_events_total"), EVENTS);
  });

  it("finds the same in parts and in one, also within a large event", async () => {
    await world.redis.flushdb();
    await sql(`UPDATE event_tickets SET ordinal = 7 WHERE (event_id, user_id) IN (
      (${largeEvent}, md5(${largeEvent}::text || ' 1')::uuid),
      (${largeEvent}, md5(${largeEvent}::text || ' 19999')::uuid)) AND ordinal = 3`);
    await sql(`DELETE FROM event_tickets WHERE event_id = md5('event 700')::uuid
      AND user_id = md5(md5('event 700')::uuid::text || ' 30')::uuid`);
    await sql(`UPDATE event_tickets SET event_date = '2099-01-02' WHERE event_id = ${largeEvent}`);
    await sql(`INSERT INTO event_tickets VALUES
      ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000000',
        gen_random_uuid(), '2099-01-01', '\\xab', 1, now()),
      ('00000000-0000-0000-0000-000000000002', 'ffffffff-ffff-ffff-ffff-ffffffffffff',
        gen_random_uuid(), '2099-01-01', '\\xab', 1, now())`);
    const all = { rows: 1_000_000, events: 1_000_000 };
    const whole = await run({ size: all, timeMs: 60_000 });
    const kinds = Object.groupBy(whole.differences, ({ kind }) => kind);
    const counts = Object.entries(kinds).map(([kind, found]) => [kind, found.length]);
    assert.deepEqual(Object.fromEntries(counts), {
      capacity: 1,
      ledger: 1,
      ordinals: 2,
      transaction: 1,
      "ticket-date": 1,
      "unknown-event": 2,
    });
    assert.equal(kinds["ticket-date"]?.[0]?.found, LARGE, "the parts are added");
    const sorted = ({ differences }: { differences: unknown[] }) =>
      differences.map((difference) => JSON.stringify(difference)).sort();
    const inParts = await reconcileAll((params) => run({ ...params, timeMs: 0 }));
    assert.deepEqual(sorted(inParts), sorted(whole));
    const [large] = await database.query<{ id: string }>({ text: `SELECT ${largeEvent} AS id` });
    const id = large?.id ?? assert.fail();
    const one = await reconcileAll((params) => run({ ...params, timeMs: 0 }), { eventId: id });
    assert.deepEqual(
      sorted(one),
      sorted(whole).filter((difference) => difference.includes(id)),
    );
  });
});
