import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { processEnvironment } from "../../../config/index.ts";
import type { Database } from "../../../lib/database/pool.ts";
import { findBinaries } from "../../dev-servers/binaries.ts";
import type { Measurement } from "../harness/measurement.ts";
import { LOAD, type Processes, startMeter } from "../harness/process-figures.ts";
import { newEvent } from "../harness/sale.ts";

export type InsertFloorOptions = {
  databaseUrl: string;
  batch: number;
  seconds: number;
  servers: Processes;
  folder: string;
  against: string;
};

/**
 * Floor of the worker's sales: pgbench commits batches of the same size on one connection, with the
 * same fence and tables, without Node.
 */
export async function insertFloor(
  database: Database,
  options: InsertFloorOptions,
): Promise<Measurement> {
  const { batch, seconds, folder, against } = options;
  const eventId = await newEvent(database);
  await database.query({
    text: "INSERT INTO event_worker (event_id, epoch, batch, node) VALUES ($1, 1, 0, 'pgbench')",
    values: [eventId],
  });
  const script = join(folder, "insert-floor.sql");
  writeFileSync(script, insertBatch(eventId, batch));
  const meter = startMeter({ ...options.servers, ...LOAD });
  const report = await runPgbench(options.databaseUrl, [
    "-n",
    "-M",
    "prepared",
    "-c",
    "1",
    "-T",
    String(seconds),
    "-f",
    script,
  ]);
  const statements = Number(/number of transactions actually processed: (\d+)/.exec(report)?.[1]);
  const ms = Number(/latency average = ([\d.]+) ms/.exec(report)?.[1]);
  const failed = Number(/number of failed transactions: (\d+)/.exec(report)?.[1]);
  const rows = statements * batch;
  const [row] = await database.query<{ count: number }>({
    text: "SELECT count(*)::float8 AS count FROM event_ticket_transactions WHERE event_id = $1",
    values: [eventId],
  });
  if (!(rows > 0) || row?.count !== rows)
    throw new Error(`pgbench says ${rows} rows, PostgreSQL has ${row?.count}:\n${report}`);
  await database.query({
    text: "DELETE FROM event_ticket_transactions WHERE event_id = $1",
    values: [eventId],
  });
  return {
    name: "PostgreSQL alone",
    role: "floor",
    against,
    operation: "sale",
    operations: rows,
    seconds,
    perSecond: rows / seconds,
    errors: failed,
    ...meter(rows),
    more: { "tickets a batch": batch, "ms a batch": ms },
  };
}

/** One prepared text without psql variables. Ids grow with time, as the worker's do. */
function insertBatch(eventId: string, rows: number): string {
  const id =
    "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') " +
    "|| right(gen_random_uuid()::text, 23))::uuid";
  return `WITH fence AS (
    UPDATE event_worker SET batch = batch + 1 WHERE event_id = '${eventId}'
    RETURNING epoch, batch, clock_timestamp() AS at
  ), item AS MATERIALIZED (
    SELECT ${id} AS id, gen_random_uuid() AS user_id,
      sha512(uuid_send(gen_random_uuid())) AS transaction_id
    FROM generate_series(1, ${rows})
  ), sold AS (
    INSERT INTO event_tickets
      (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at)
    SELECT item.id, '${eventId}', item.user_id, '2099-01-01', item.transaction_id, 1, fence.at
    FROM fence, item
    RETURNING transaction_id, user_id
  )
  INSERT INTO event_ticket_transactions
    (transaction_id, event_id, user_id, event_date, quantity, status, epoch, batch, created_at)
  SELECT sold.transaction_id, '${eventId}', sold.user_id, '2099-01-01', -1, 'pending',
    fence.epoch, fence.batch, fence.at
  FROM fence, sold;
`.replaceAll(/\s*\n\s*/g, " ");
}

/**
 * Debian keeps pgbench with the server's programs, others on the PATH. The password is passed in
 * the environment, which other users cannot read.
 */
async function runPgbench(databaseUrl: string, args: readonly string[]): Promise<string> {
  const { username, password, hostname, port, pathname } = new URL(databaseUrl);
  const beside = dirname(findBinaries(["postgres"]).found.postgres ?? "");
  const { PATH = "" } = processEnvironment();
  const env = {
    PATH: `${PATH}:${beside}`,
    PGUSER: username,
    PGPASSWORD: decodeURIComponent(password),
    PGHOST: hostname,
    PGPORT: port,
    PGDATABASE: pathname.slice(1),
  };
  const { stdout } = await promisify(execFile)("pgbench", args, { env });
  return stdout;
}
