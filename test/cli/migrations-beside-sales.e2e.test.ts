import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client } from "pg";
import { parseMigration, readMigrations } from "../../tools/database/migration-files.ts";
import { migrate } from "../../tools/database/migrations.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { startBuyers } from "../support/fixtures/buyers.ts";
import { httpClient } from "../support/http/http.ts";
import { waitFor } from "../support/wait-for.ts";

/** Tries that find the lock taken. Together they take longer than a sale waits for a lock (1 s). */
const TRIES = 4;

describe("a migration beside sales", () => {
  let engine: Engine;
  before(async () => {
    engine = await startEngine();
  });
  after(() => engine.close());

  it("changes a table behind a long reader, and refuses no purchase", async (t) => {
    const url = engine.ownerUrl;
    const eventId = await engine.addEvent({ capacity: 100_000 });
    const reader = new Client({ connectionString: url, application_name: "a long report" });
    await reader.connect();
    const buyers = startBuyers(engine, httpClient(engine.url), eventId, 4);
    t.after(() => Promise.all([buyers.stop(), reader.end()]));
    const sold = () => buyers.answers.filter(({ status }) => status === 201).length;
    await waitFor(() => sold() >= 20, { withinMs: 15_000, what: "Tickets are sold" });
    const before = buyers.answers.length;
    await reader.query(
      "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; BEGIN",
    );
    await reader.query("SELECT count(*) FROM event_tickets, event_ticket_transactions LIMIT 1");
    const lines: string[] = [];
    const migrations = readMigrations();
    const change = parseMigration(
      migrations.length + 1,
      "note_of_a_ticket",
      "-- Why: a test.\n-- expand\nALTER TABLE event_tickets ADD COLUMN note text;",
    );
    const migrated = migrate(url, [...migrations, change], {
      report: (line) => void lines.push(line),
    });
    await waitFor(() => lines.length >= TRIES, { withinMs: 30_000, what: "It found no lock" });
    await reader.query("COMMIT");
    assert.match((await migrated).join(), /^\d{4}_note_of_a_ticket$/);
    const afterwards = sold();
    await waitFor(() => sold() > afterwards + 20, { withinMs: 15_000, what: "Sales go on" });
    await buyers.stop();
    const during = buyers.answers.slice(before);
    assert.deepEqual([...new Set(during.map(({ status }) => status))], [201]);
    assert.ok(during.length > 40, `${during.length} purchases`);
    assert.match(lines[0] ?? "", /_note_of_a_ticket waits for a lock: try 1/);
  });
});
