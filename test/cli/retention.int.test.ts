// boxoffice retention: what it deletes and leaves, in parts, on PostgreSQL; and the audit trail.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { processEnvironment } from "../../config/index.ts";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import { auditLogger } from "../../lib/observability/audit-log.ts";
import { applyEvents } from "../../services/ledger/booking/transaction-consumer.ts";
import { differencesOf } from "../../services/ledger/reconcile/discrepancy.ts";
import { PART_SIZE } from "../../services/ledger/reconcile/parts.ts";
import { readTruths } from "../../services/ledger/reconcile/read-truth.ts";
import { expireSales } from "../../tools/retention/expire-sales.ts";
import { type FreshDatabase, freshDatabase } from "../support/database.ts";
import { addConcert, ownEvent, sellTickets } from "../support/fixtures/event-rows.ts";
import { runBoxoffice } from "../support/processes/boxoffice.ts";
import { waitFor } from "../support/wait-for.ts";

const YEAR_MS = 365.25 * 86_400_000;
const DAY = "2009-01-01";
const PART_MAX = 7;

describe("boxoffice retention", () => {
  let fresh: FreshDatabase;
  let database: Database;
  let folder: string;
  before(async () => {
    fresh = await freshDatabase();
    database = openDatabase(fresh.url, "long");
    folder = mkdtempSync(join(tmpdir(), "boxoffice-retention-"));
  });
  after(async () => {
    await database.close();
    await fresh.drop();
    rmSync(folder, { recursive: true });
  });

  /** An event that ended so many years ago, with sold and cancelled tickets, all booked. */
  const addSold = async (yearsAgo: number, sales = 12): Promise<string> => {
    const startsAtMs = Date.now() - yearsAgo * YEAR_MS;
    const id = await addConcert(database, { total: 100, startsAtMs });
    await ownEvent(database, id, 1);
    for (let batch = 0; batch < sales; batch += 1) await sellTickets(database, id, DAY, [3, 1]);
    await change(
      `WITH cancelled AS (
        UPDATE event_tickets SET cancelled_at = now() WHERE event_id = $1 AND ordinal = 2
        RETURNING user_id
      ), owned AS (UPDATE event_worker SET batch = batch + 1,
          available = available + (SELECT count(*) FROM cancelled) WHERE event_id = $1
        RETURNING epoch, batch)
      INSERT INTO event_ticket_transactions
        (transaction_id, event_id, user_id, event_date, quantity, epoch, batch, created_at)
      SELECT sha512(uuid_send(gen_random_uuid())), $1, user_id, '${DAY}', 1, epoch, batch, now()
      FROM cancelled, owned`,
      id,
    );
    await change(
      "UPDATE event_tickets SET event_date = date FROM event WHERE event_id = $1 AND event.id = $1",
      id,
    );
    await applyEvents(database, [id]);
    return id;
  };
  /** Rows as releases before 0.3 left them: one for each transaction, with its customer. */
  const withOldLedger = async (id: string): Promise<string> => {
    await change(
      `WITH purchases AS (SELECT transaction_id, user_id, count(*)::integer AS sold,
          count(cancelled_at)::integer AS cancelled FROM event_tickets WHERE event_id = $1
          GROUP BY 1, 2)
      INSERT INTO capacity_ledger (transaction_id, event_id, user_id, quantity, applied_at)
      SELECT transaction_id, $1, user_id, -sold, now() FROM purchases
      UNION ALL SELECT sha512(transaction_id), $1, user_id, cancelled, now() FROM purchases
        WHERE cancelled > 0`,
      id,
      "user_id IS NULL",
    );
    return id;
  };
  /** With `booked`: deletes these rows of the ledger first, as only retention may. */
  const change = async (text: string, id: string, booked?: string): Promise<void> => {
    await database.transaction(async (connection) => {
      if (booked !== undefined) {
        await connection.query({ text: "SET LOCAL boxoffice.retention = on" });
        await connection.query({
          text: `DELETE FROM capacity_ledger WHERE event_id = $1 AND ${booked}`,
          values: [id],
        });
      }
      await connection.query({ text, values: [id] });
    });
  };
  const rowsOf = async (id: string) => {
    const [row] = await database.query<{ tickets: number; booked: number; capacity: number }>({
      text: `
        SELECT capacity,
          (SELECT count(*)::integer FROM event_tickets WHERE event_id = $1) AS tickets,
          (SELECT count(*)::integer FROM capacity_ledger WHERE event_id = $1) AS booked
        FROM event WHERE id = $1`,
      values: [id],
    });
    return row ?? assert.fail();
  };
  const differences = async (id: string): Promise<unknown[]> => {
    const one = { only: id, size: PART_SIZE };
    const { numbers, found } = await readTruths(database, { event: id }, one, 10);
    return [...numbers.flatMap(differencesOf), ...found];
  };
  const GONE = { tickets: 0, booked: 0, capacity: 100 };

  it("deletes in parts that keep the books right, and continues an interrupted run", async () => {
    const events = [await addSold(12), await withOldLedger(await addSold(12))];
    for (const id of events) assert.deepEqual(await differences(id), []);
    const seen: number[] = [];
    for (let left = true; left;) {
      const abort = new AbortController();
      // Stops behind each part.
      const clock = { nowMs: () => 0, after: () => (abort.abort(), { cancel: () => undefined }) };
      const { tickets, ledgerRows } = await expireSales({
        database,
        years: 11,
        dryRun: false,
        report: (line) => assert.fail(line),
        signal: abort.signal,
        partMax: PART_MAX,
        clock,
      });
      for (const id of events) assert.deepEqual(await differences(id), []);
      seen.push(tickets);
      left = abort.signal.aborted;
      assert.ok(left || tickets + ledgerRows === 0);
    }
    // A part ends behind the last ticket of a customer.
    assert.ok(Math.max(...seen) < PART_MAX + 3, seen.join());
    assert.equal(
      seen.reduce((sum, tickets) => sum + tickets, 0),
      2 * 48,
    );
    for (const id of events) assert.deepEqual(await rowsOf(id), GONE);
  });

  it("leaves events that are not over so long, postponed, or whose books do not agree", async () => {
    const kept = [await addSold(10.9, 2), await addSold(12, 2), await addSold(12, 2)] as const;
    const [, postponed, wrong] = kept;
    await change("UPDATE event SET status = 'postponed' WHERE id = $1", postponed);
    await change("UPDATE event SET capacity = capacity - 1 WHERE id = $1", wrong);
    const waiting = await addSold(12, 2);
    await change(
      `INSERT INTO event_ticket_transactions SELECT '\\x01', id, id, date, -1, 'pending', 1, 1, now()
       FROM event WHERE id = $1`,
      waiting,
    );
    const before = await Promise.all([...kept, waiting].map(rowsOf));
    const lines: string[] = [];
    const expired = await expireSales({
      database,
      years: 11,
      dryRun: false,
      report: (line) => void lines.push(line),
      signal: new AbortController().signal,
    });
    assert.deepEqual(expired, { events: 0, tickets: 0, ledgerRows: 0, left: 2 });
    assert.deepEqual(await Promise.all([...kept, waiting].map(rowsOf)), before);
    assert.ok(lines.includes(`Event ${waiting} is left: 1 rows wait for the ledger.`));
    assert.ok(lines.some((line) => line.includes(wrong) && line.includes("do not agree")));
    await change("UPDATE event SET capacity = capacity + 1 WHERE id = $1", wrong);
    await change("DELETE FROM event_ticket_transactions WHERE event_id = $1", waiting);
  });

  it("is the only one that deletes from the ledger (control)", async () => {
    const id = await addSold(12, 1);
    const text = "DELETE FROM capacity_ledger WHERE event_id = $1";
    await assert.rejects(change(text, id), /append-only/);
    const update = "UPDATE capacity_ledger SET quantity = 0 WHERE event_id = $1";
    await assert.rejects(change(update, id, "false"), /append-only/);
  });

  it("says what it would do, does it, and moves the audit trail once a day", async () => {
    const file = join(folder, "audit.log");
    const today = new Date().toISOString().slice(0, 10);
    const [old, recent] = [`${file}.2020-01-01`, `${file}.${today.slice(0, 4)}-01-01`];
    for (const each of [file, old, recent]) writeFileSync(each, "{}\n");
    const environment = {
      ...processEnvironment(),
      DATABASE_URL: fresh.url,
      DATA_DIR: folder,
      AUDIT_FILE: file,
    };
    const run = (...options: string[]) => runBoxoffice(environment, ["retention", ...options]);
    const dry = await run("--dry-run", "--sales-years", "11", "--audit-days", "400");
    assert.match(dry.out, /would have deleted .*audit\.log\.2020-01-01\n/);
    // Two events of 8 tickets and one of 4; a row for each batch.
    assert.match(dry.out, /would delete 20 tickets and 8 ledger rows of 3 events, left 0/);
    assert.equal(dry.code, 0, dry.error);
    assert.ok(existsSync(old));
    const real = await run();
    assert.equal(
      real.out,
      dry.out.replaceAll("would have ", "").replace("would delete", "deleted"),
    );
    assert.deepEqual(
      [file, old, recent, `${file}.${today}`].map((each) => existsSync(each)),
      [false, false, true, true],
    );
    writeFileSync(file, "{}\n");
    const again = await run();
    assert.equal(again.out, "deleted 0 tickets and 0 ledger rows of 0 events, left 0 events\n");
    assert.ok(existsSync(file));
  });

  it("loses no line of a trail that is moved away", async () => {
    const file = join(folder, `${randomUUID()}.log`);
    const trail = auditLogger(file, { nodeID: "node" });
    const lines: string[] = [];
    const write = (): void => {
      lines.push(String(lines.length));
      trail.info({ what: "purchase", outcome: "ok", line: lines.length - 1 });
    };
    const linesIn = (path: string): string[] =>
      existsSync(path)
        ? [...readFileSync(path, "utf8").matchAll(/"line":(\d+)/g)].map(([, line]) => line ?? "")
        : [];
    write();
    await waitFor(() => linesIn(file).length === 1);
    renameSync(file, `${file}.moved`);
    await waitFor(() => (write(), linesIn(file).length > 2));
    await waitFor(() => linesIn(`${file}.moved`).length + linesIn(file).length === lines.length);
    assert.deepEqual([...linesIn(`${file}.moved`), ...linesIn(file)], lines);
  });
});
