// A worker's statements, and reads by an id alone, must not read more rows as sales grow, with any
// plan of PostgreSQL. That includes plans from statistics of before the rush.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Connection, Database, Statement } from "../../lib/database/pool.ts";
import { postgresStore } from "../../services/purchasing/store/event-store.ts";
import { createBatchedEventStore } from "../../services/purchasing/store/batched-event-store.ts";
import { postgresManyEvents } from "../../services/purchasing/store/many-events.ts";
import {
  readAnyTicket,
  readTicket,
  readTransaction,
} from "../../services/purchasing/tickets/ticket-queries.ts";
import type {
  CancelledTicket,
  EventStore,
  LoadedEvent,
} from "../../services/purchasing/worker/ports.ts";
import {
  newTransactionId,
  openSaleWorld,
  type SaleWorld,
  saleOf,
} from "../support/fixtures/sale-fixture.ts";

const SMALL_EVENTS = 300;
const HOT_TICKETS = 20_000;
/** More rows than a plan by ids reads here, and far fewer than the hot event has. */
const ROWS_MAX = 1_000;

type PlanNode = {
  "Relation Name"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  Plans?: PlanNode[];
};

describe("a worker's statements, for one event with many sales among many with few", () => {
  let world: SaleWorld;
  let hot: string;
  let cold: string;
  let event: LoadedEvent;
  let epochs: Map<string, number>;
  let cancelled: CancelledTicket[];
  before(async () => {
    world = await openSaleWorld();
    hot = await world.addEvent(HOT_TICKETS * 2);
    cold = await world.addEvent(10);
    // PostgreSQL's statistics are from before the rush.
    await stopAutovacuum(world.database);
    for (let index = 0; index < SMALL_EVENTS; index += 1) await fill(await world.addEvent(10), 1);
    await world.database.query({ text: "ANALYZE event_tickets" });
    for (let part = 0; part < 5; part += 1) await fill(hot, HOT_TICKETS / 5);
    const store = world.store("node");
    epochs = new Map();
    for (const id of [hot, cold]) epochs.set(id, (await store.takeEpoch(id)) ?? 0);
    event = await store.loadEvent(hot);
    const tickets = await world.database.query<{ ticketId: string; userId: string }>({
      text: `
        SELECT id AS "ticketId", user_id AS "userId" FROM event_tickets
        WHERE event_id = $1 LIMIT 2`,
      values: [hot],
    });
    cancelled = tickets.map((ticket) => ({ ...ticket, transactionId: newTransactionId() }));
  });
  after(() => world.close());

  const fill = (eventId: string, count: number): Promise<unknown> =>
    world.database.query({
      text: `
        INSERT INTO event_tickets
          (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at)
        SELECT gen_random_uuid(), $1, gen_random_uuid(), '2099-01-01',
          sha512(uuid_send(gen_random_uuid())), 1, now()
        FROM generate_series(1, $2)`,
      values: [eventId, count],
    });

  /** Records the first statement that a request sends. */
  const recorded = async (
    request: (database: Database) => Promise<unknown>,
  ): Promise<Required<Statement>> => {
    const sent: Statement[] = [];
    const onStatement = (statement: Statement): Promise<never> => {
      sent.push(statement);
      return Promise.reject(new Error("recorded"));
    };
    const database = {
      query: onStatement,
      withConnection: (work: (connection: Connection) => unknown) =>
        work({ query: onStatement } as never),
    } as unknown as Database;
    await request(database).catch(() => undefined);
    return sent[0] as Required<Statement>;
  };
  const statementOf = (
    request: (store: EventStore) => Promise<unknown>,
    together: boolean,
  ): Promise<Required<Statement>> =>
    recorded((database) => {
      const plain = postgresStore(database, "node");
      const many = postgresManyEvents(database, "node");
      return request(together ? createBatchedEventStore(plain, many) : plain);
    });
  const purchasesAndCancellations = (
    store: EventStore,
    eventIds: readonly string[],
  ): Promise<unknown> =>
    Promise.all(
      eventIds.map((eventId) =>
        store.commit(
          { eventId, epoch: epochs.get(eventId) ?? 0, batch: 0 },
          { ...saleOf(event, 2), cancelled: eventId === hot ? cancelled : [] },
        ),
      ),
    );
  const needs = (store: EventStore, eventIds: readonly string[]): Promise<unknown> =>
    Promise.all(
      eventIds.map((eventId) =>
        store.load(eventId, {
          purchases: [{ transactionId: newTransactionId(), userId: randomUUID() }],
          ticketIds: eventId === hot ? cancelled.map(({ ticketId }) => ticketId) : [],
          userIds: [randomUUID(), randomUUID()],
        }),
      ),
    );

  const replays = (store: EventStore): Promise<unknown> =>
    store.readPurchases(
      hot,
      cancelled.map(({ userId }) => ({ transactionId: newTransactionId(), userId })),
    );

  const STATEMENTS = {
    "the answer to repeated purchases": () => statementOf(replays, false),
    "the load of one event": () => statementOf((store) => needs(store, [hot]), false),
    "the load of several": () => statementOf((store) => needs(store, [hot, cold]), true),
    "the commit of one event": () =>
      statementOf((store) => purchasesAndCancellations(store, [hot]), false),
    "the commit of several": () =>
      statementOf((store) => purchasesAndCancellations(store, [hot, cold]), true),
    "the first buyers of several": () =>
      statementOf(
        (store) => Promise.all([hot, cold].map((eventId) => store.readBuyers(eventId, "", 100))),
        true,
      ),
    "a ticket by its id": () =>
      recorded((on) => readTicket(on, cancelled[0]?.userId ?? "", cancelled[0]?.ticketId ?? "")),
    "a ticket at the entrance": () =>
      recorded((on) => readAnyTicket(on, cancelled[0]?.ticketId ?? "")),
    "a transaction by its id": () =>
      recorded((on) => readTransaction(on, cancelled[0]?.userId ?? "", "ab", "secret")),
  };
  for (const [name, statement] of Object.entries(STATEMENTS))
    for (const mode of ["force_custom_plan", "force_generic_plan"])
      it(`${name} reads only the rows it needs (${mode})`, async () => {
        const { text, values } = await statement();
        const plan = await explain(world.database, mode, text, values);
        const read = nodesOf(plan).filter(
          (node) =>
            node["Relation Name"]?.startsWith("event_tickets") === true && node.Plans === undefined,
        );
        assert.ok(read.length > 0, "the plan reads tickets");
        const rows = read.map(
          (node) =>
            node["Actual Loops"] * (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)),
        );
        assert.ok(
          Math.max(...rows) < ROWS_MAX,
          `rows read: ${rows.join(", ")}\n${JSON.stringify(plan, undefined, 1)}`,
        );
      });
});

/** Of the table's partitions too, if it has any. */
async function stopAutovacuum(database: Database): Promise<void> {
  const tables = await database.query<{ name: string }>({
    text: `
      SELECT relid AS name FROM pg_partition_tree('event_tickets') WHERE isleaf`,
  });
  for (const { name } of tables)
    await database.query({ text: `ALTER TABLE ${name} SET (autovacuum_enabled = off)` });
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

function literalOf(value: unknown): string {
  return Buffer.isBuffer(value) ? `'\\x${value.toString("hex")}'` : `'${String(value)}'`;
}

/** Explains the statement with ANALYZE and rolls it back. */
async function explain(
  database: Database,
  mode: string,
  text: string,
  values: readonly unknown[],
): Promise<PlanNode> {
  let plan: PlanNode | undefined;
  const takenBack = new Error("taken back");
  await database
    .transaction(async (connection) => {
      await connection.query({ text: `SET LOCAL plan_cache_mode = ${mode}` });
      await connection.query({ text: `PREPARE measured AS ${text}` });
      const literals = values.map(literalOf).join(", ");
      const [row] = await connection.query<{ "QUERY PLAN": { Plan: PlanNode }[] }>({
        text: `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE measured (${literals})`,
      });
      plan = row?.["QUERY PLAN"][0]?.Plan;
      await connection.query({ text: "DEALLOCATE measured" });
      throw takenBack;
    })
    .catch((error: unknown) => {
      if (error !== takenBack) throw error;
    });
  return plan ?? assert.fail("no plan");
}
