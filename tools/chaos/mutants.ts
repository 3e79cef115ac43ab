import type { ServiceName } from "../../config/index.ts";
import type { Edit } from "../testing/mutated-copy.ts";
import type { Invariant } from "./checks/violation.ts";
import type { Fault, FaultContext } from "./fault.ts";
import { redisFromSnapshot } from "./faults/f06-redis-from-a-snapshot.ts";
import { messageLost } from "./faults/f10-ledger-killed.ts";
import { byProxy, cancelledTooLate } from "./faults/f15-lost-answers.ts";
import { fault as restoredBackup } from "./faults/f18-restored-backup.ts";
import { fault as postgresClock } from "./faults/time/f27-postgres-clock.ts";
import { heldOpen, takeovers } from "./takeovers.ts";

/**
 * A mistake, and the part of a fault that must reveal it. `boxoffice chaos mutants` plants each
 * one in a cluster.
 */
export type ChaosMutant = {
  /** Describes the mistake. */
  mistake: string;
  /** The service whose nodes run with it. */
  in: ServiceName;
  edits: readonly Edit[];
  /** Statements that remove a part of the schema, and restore it. */
  schema?: { out: string; back: string };
  shownBy: Fault;
  /** The invariant that must be violated, or what the fault must miss. */
  red: Invariant | RegExp;
};

const SELLER = "services/purchasing/worker/seller.ts";
const STATEMENTS = "services/purchasing/store/event-store.sql.ts";
const STORE = "services/purchasing/store/event-store.ts";
/** The same statements for several events at once. */
const GATHERED_STATEMENTS = "services/purchasing/store/batched-event-store.sql.ts";
const MANY_FENCE =
  "AND CASE WHEN worker.epoch = asked.epoch AND worker.batch = asked.batch " +
  "AND worker.node = $16 THEN true END";
/** PostgreSQL needs a type for every parameter. */
const TYPED_MANY = "AND $16::text IS NOT NULL";
const GATHERED_STORE = "services/purchasing/store/many-events.ts";
const CONSUMER = "lib/queue/consumer.ts";

const LOST_BY_LOAD =
  'if (loaded.epoch !== ownership.epoch || loaded.batch !== ownership.batch) return { type: "fenced" };';
const FENCE = "WHERE event_id = $1 AND epoch = $2 AND batch = $3 AND node = $12";
const TYPED = "($2::bigint, $3::bigint, $12::text) IS NOT NULL";
const LOADED = "return loaded;";

const TAKEOVERS = part("F5", "the nodes take events from each other", takeovers);
const HELD_OPEN = part("F5", "a statement is held open", async (context) =>
  context.expect(await heldOpen(context), "no statement was seen waiting for a lock"),
);
const LOST_MESSAGE: Fault = {
  ...part("F10", "a ledger killed before its commit, its message lost", (context) =>
    messageLost(context),
  ),
  async prepare({ cluster }) {
    await cluster.node("ledger-2").stop();
  },
};
const TOO_LATE: Fault = {
  ...part("F15", "a cancellation that arrives after its event has begun", cancelledTooLate),
  prepare: byProxy,
};
const OLD_REDIS = redisFromSnapshot(1);
const OLD_BACKUP: Fault = { ...restoredBackup, hotCapacity: 60 };

/** The ownership row's CHECK, which refuses to oversell whatever else is wrong. */
const AVAILABLE_CHECK = {
  out: "ALTER TABLE event_worker DROP CONSTRAINT event_worker_available_check",
  back: "ALTER TABLE event_worker ADD CONSTRAINT event_worker_available_check CHECK (available >= 0) NOT VALID",
};

/**
 * The unique key is removed together with the lookup before it. Alone it changes nothing: a worker
 * that holds the epoch and has loaded the event does not sell a transaction twice. For the same
 * reason the ownership row's CHECK is removed together with what keeps workers apart.
 */
export const CHAOS_MUTANTS: readonly ChaosMutant[] = [
  {
    mistake: "the epoch check removed",
    in: "purchasing",
    edits: [
      [SELLER, LOST_BY_LOAD, ""],
      [STATEMENTS, FENCE, `WHERE event_id = $1 AND ${TYPED}`],
      [GATHERED_STATEMENTS, MANY_FENCE, TYPED_MANY],
    ],
    schema: AVAILABLE_CHECK,
    shownBy: TAKEOVERS,
    red: "I1",
  },
  {
    mistake: "the row lock left out of the epoch check (a bare EXISTS)",
    in: "purchasing",
    edits: [
      [SELLER, " || loaded.batch !== ownership.batch", ""],
      [
        STATEMENTS,
        `UPDATE event_worker SET batch = batch + 1, available = available + cardinality($9::uuid[]) - cardinality($5::uuid[]) ${FENCE}\n      RETURNING epoch, batch, date_trunc`,
        "SELECT $2::bigint AS epoch, $3::bigint + 1 AS batch, date_trunc",
      ],
      [
        STATEMENTS,
        "clock_timestamp()) AS at\n    ), sold",
        "clock_timestamp()) AS at\n      WHERE EXISTS (SELECT 1 FROM event_worker WHERE event_id = $1 AND epoch = $2 AND node = $12)\n    ), sold",
      ],
    ],
    shownBy: HELD_OPEN,
    red: "I1",
  },
  {
    mistake: "the batch number left out of the epoch check",
    in: "purchasing",
    edits: [
      [SELLER, " || loaded.batch !== ownership.batch", ""],
      [
        STATEMENTS,
        FENCE,
        "WHERE event_id = $1 AND epoch = $2 AND $3::bigint IS NOT NULL AND node = $12",
      ],
      [GATHERED_STATEMENTS, " AND worker.batch = asked.batch", ""],
    ],
    schema: AVAILABLE_CHECK,
    shownBy: OLD_BACKUP,
    red: "I1",
  },
  {
    mistake: "refusals answered without looking at epoch and batch",
    in: "purchasing",
    edits: [[SELLER, LOST_BY_LOAD, ""]],
    shownBy: TAKEOVERS,
    red: "I6",
  },
  {
    mistake: "pending rows written from the decision",
    in: "purchasing",
    edits: [
      [
        STATEMENTS,
        "      require_count('tickets cancelled', (SELECT count(*) FROM cancelled), cardinality($9::uuid[])),\n",
        "",
      ],
      [
        STATEMENTS,
        "UNION ALL SELECT cancellation_id, user_id, 1 FROM cancelled)",
        "UNION ALL SELECT item.transaction_id, ticket.user_id, 1 FROM unnest($9::uuid[], $10::bytea[]) AS item (id, transaction_id) JOIN event_tickets AS ticket USING (id))",
      ],
    ],
    shownBy: TOO_LATE,
    red: "I4",
  },
  {
    mistake: "the limit decided without loading",
    in: "purchasing",
    edits: [
      [STORE, LOADED, "return { ...loaded, activeTickets: [] };"],
      [GATHERED_STORE, "activeTickets: counts.get(eventId) ?? []", "activeTickets: []"],
    ],
    shownBy: TAKEOVERS,
    red: "I1",
  },
  {
    mistake: "cancellations decided without loading",
    in: "purchasing",
    edits: [
      [STORE, LOADED, "return { ...loaded, tickets: [] };"],
      [
        GATHERED_STORE,
        "tickets: (tickets.get(eventId) ?? []).filter(({ ticketId }) => wanted.has(ticketId))",
        "tickets: []",
      ],
    ],
    shownBy: TAKEOVERS,
    red: "I3",
  },
  {
    mistake: "the unique key removed, and sales decided without loading",
    in: "purchasing",
    edits: [
      [STORE, LOADED, "return { ...loaded, sales: [] };"],
      [
        GATHERED_STORE,
        "sales: needs.purchases.flatMap(({ transactionId }) => sales.get(transactionId) ?? [])",
        "sales: []",
      ],
    ],
    schema: {
      out: "DROP INDEX event_tickets_sale_key",
      back: "CREATE UNIQUE INDEX event_tickets_sale_key ON event_tickets (event_id, user_id, substr(transaction_id, 1, 16), ordinal)",
    },
    shownBy: TAKEOVERS,
    red: "I2",
  },
  {
    mistake: "ack before commit",
    in: "ledger",
    edits: [
      [
        CONSUMER,
        "    let refused: ReadonlySet<Delivery<Message>>;\n    try {\n",
        "    let refused: ReadonlySet<Delivery<Message>>;\n    for (const { session: on, tag } of batch) settle(() => on.channel.ack(asMessage(tag)));\n    try {\n",
      ],
      [CONSUMER, "if (accepted !== undefined) settle(", "if (false) settle("],
    ],
    shownBy: LOST_MESSAGE,
    red: /no longer had the message/,
  },
  {
    mistake: "the capacity taken from Redis at a worker's start",
    in: "purchasing",
    edits: [
      [
        "services/purchasing/worker/create-ports.ts",
        "store: createBatchedEventStore(postgresStore(databases.worker, broker.nodeID), " +
          "postgresManyEvents(databases.worker, broker.nodeID)),",
        `store: ((store) => ({
          ...store,
          loadEvent: async (eventId) => {
            const copy = await redis.get(\`event:{\${eventId}}:available\`).catch(() => null);
            const event = await store.loadEvent(eventId);
            return copy === null ? event : { ...event, available: JSON.parse(copy).available };
          },
        }))(postgresStore(databases.worker, broker.nodeID)),`,
      ],
    ],
    schema: AVAILABLE_CHECK,
    shownBy: OLD_REDIS,
    red: "I1",
  },
  {
    mistake: "PostgreSQL's clock followed forwards only",
    in: "purchasing",
    edits: [
      [
        "services/purchasing/worker/ownership.ts",
        "Math.min(Math.max(postgresMs, this.nowMs()), most)",
        "Math.max(postgresMs, this.nowMs())",
      ],
    ],
    shownBy: postgresClock,
    red: /what was closed sells again/,
  },
  {
    mistake: "the sweeper switched off",
    in: "ledger",
    edits: [
      [
        "services/ledger/booking/outbox-sweeper.ts",
        "const waiting = await eventsWaiting(database, olderThanMs);",
        "const waiting: string[] = [];",
      ],
    ],
    shownBy: LOST_MESSAGE,
    red: "I7",
  },
];

function part(
  id: Fault["id"],
  title: string,
  run: (context: FaultContext) => Promise<void>,
): Fault {
  return { id, title, run: (context) => context.phase(title, () => run(context)) };
}
