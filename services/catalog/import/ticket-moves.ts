import { type Clock, pause, systemClock } from "../../../lib/concurrency/clock.ts";
import { type Connection, type Database, isUnavailable } from "../../../lib/database/pool.ts";

/**
 * Tickets of one part. A cancellation of one of them waits for the part, so the part must be short.
 */
const PART_MAX = 5_000;
/** Duration of a part that is aimed at, in milliseconds. A slow server gets smaller parts. */
const PART_MS = 50;
const PART_MIN = 50;
/** Finds what a node that died has left. */
const LOOK_EVERY_MS = 30_000;
const RETRY_AFTER_MS = 5_000;

export type TicketMover = {
  /** Moves the tickets of all events that wait for it, in the background. Never rejects. */
  wake(): void;
  /** Stops behind the part that is running. The rest stays for the next start. */
  close(): Promise<void>;
};

type TicketMoverOptions = {
  /** Pool of the profile "long". */
  database: Database;
  warn: (message: string, error: unknown) => void;
  clock?: Clock;
  partMax?: number;
};

/**
 * Moves the dates of sold tickets after an import has moved their event (`ticket_move_epoch` says
 * so), in parts that are committed one by one. A crash between two parts loses nothing: the event
 * keeps its mark. Between parts it rests as long as a part took, because sales come first.
 */
export function createTicketMover({
  database,
  warn,
  clock = systemClock,
  partMax = PART_MAX,
}: TicketMoverOptions): TicketMover {
  const stop = new AbortController();
  let running: Promise<void> | undefined;
  let again = false;
  let next: { cancel(): void } | undefined;

  const work = async (): Promise<void> => {
    let waitMs = LOOK_EVERY_MS;
    try {
      do {
        again = false;
        const events = await readMoves(database);
        for (const eventId of events)
          if (!(await moveTickets({ database, clock, partMax, signal: stop.signal }, eventId)))
            waitMs = RETRY_AFTER_MS;
      } while (again);
    } catch (error) {
      if (stop.signal.aborted) return;
      // An outage of PostgreSQL is logged by others.
      if (!isUnavailable(error))
        warn("Tickets did not follow their moved event; the next try is in 5 s", error);
      waitMs = RETRY_AFTER_MS;
    }
    if (!stop.signal.aborted) next = clock.after(waitMs, wake);
  };
  const wake = (): void => {
    again = true;
    if (running !== undefined || stop.signal.aborted) return;
    next?.cancel();
    running = work().finally(() => {
      running = undefined;
    });
  };
  return {
    wake,
    async close() {
      stop.abort(new Error("The catalog stops"));
      next?.cancel();
      await running;
    },
  };
}

/** Events whose tickets have not all followed yet. The partial index has no others. */
async function readMoves(database: Database): Promise<string[]> {
  const rows = await database.query<{ id: string }>({
    name: "catalog-ticket-moves",
    text: "SELECT id FROM event WHERE ticket_move_epoch IS NOT NULL ORDER BY id",
  });
  return rows.map(({ id }) => id);
}

type Mover = { database: Database; clock: Clock; partMax: number; signal: AbortSignal };
/** A place in the key of an event's tickets (event_tickets_sale_key). `sale`: hex. */
type Place = { userId: string; sale: string; ordinal: number };
type Part = { locked: false } | { locked: true; epoch?: number; moved: number; last?: Place };

const START: Place = {
  userId: "00000000-0000-0000-0000-000000000000",
  sale: "",
  ordinal: 0,
};

/** Returns false if another node moves the tickets of this event. */
async function moveTickets(
  { database, clock, partMax, signal }: Mover,
  eventId: string,
): Promise<boolean> {
  let rows = Math.min(PART_MIN, partMax);
  let place = START;
  let epoch: number | undefined;
  for (;;) {
    signal.throwIfAborted();
    const startedMs = clock.nowMs();
    const part = await inTurn(database, eventId, (connection) =>
      movePart(connection, eventId, place, rows),
    );
    const tookMs = clock.nowMs() - startedMs;
    if (!part.locked) return false;
    if (part.epoch === undefined) return true;
    // Another import has moved the event meanwhile, so begin again.
    const restarts = epoch !== undefined && epoch !== part.epoch;
    epoch = part.epoch;
    if (restarts) place = START;
    else if (part.last !== undefined) place = part.last;
    else {
      // The end of the key. What a cancellation held locked is found from the start.
      const done = epoch;
      const end = await inTurn(database, eventId, (connection) =>
        endMove(connection, eventId, done),
      );
      if (end.locked && end.epoch === undefined) return true;
      place = START;
    }
    rows = nextRows(rows, tookMs, partMax);
    await pause(clock, Math.max(10, tookMs), signal);
  }
}

function nextRows(rows: number, tookMs: number, partMax: number): number {
  const wanted = rows * Math.min(1.5, Math.max(0.25, PART_MS / Math.max(1, tookMs)));
  return Math.round(Math.min(partMax, Math.max(Math.min(PART_MIN, partMax), wanted)));
}

/**
 * Runs one step in a transaction, one node at a time: a step that began before the next move of the
 * event must not write the date before over the new one. The advisory lock's key is the event.
 */
async function inTurn(
  database: Database,
  eventId: string,
  step: (connection: Connection) => Promise<Part>,
): Promise<Part> {
  return database.transaction(async (connection) => {
    const [row] = await connection.query<{ locked: boolean }>({
      name: "catalog-ticket-move-lock",
      text: "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 15)) AS locked",
      values: [eventId],
    });
    return row?.locked === true ? step(connection) : { locked: false };
  });
}

/** The transaction's part of the key. */
const SALE = "substr(ticket.transaction_id, 1, 16)";

/**
 * Skips tickets that a cancellation holds, so that it never waits for a lock and no deadlock can
 * come of it.
 */
const MOVE_PART = `
  WITH target AS MATERIALIZED (
    SELECT date, ticket_move_epoch AS epoch FROM event
    WHERE id = $1 AND ticket_move_epoch IS NOT NULL
  ), part AS MATERIALIZED (
    SELECT ticket.id, ticket.user_id, ${SALE} AS sale, ticket.ordinal
    FROM event_tickets AS ticket
    WHERE ticket.event_id = $1
      AND (ticket.user_id, ${SALE}, ticket.ordinal) > ($2::uuid, $3::bytea, $4::smallint)
      AND ticket.event_date <> (SELECT date FROM target)
    ORDER BY ticket.user_id, ${SALE}, ticket.ordinal LIMIT $5
    FOR UPDATE SKIP LOCKED
  ), moved AS (
    UPDATE event_tickets AS ticket SET event_date = (SELECT date FROM target)
    WHERE ticket.id = ANY (ARRAY(SELECT id FROM part)) RETURNING 1
  ), last AS (
    SELECT user_id, sale, ordinal FROM part
    ORDER BY user_id DESC, sale DESC, ordinal DESC LIMIT 1
  )
  SELECT target.epoch::float8 AS epoch, (SELECT count(*) FROM moved)::integer AS moved,
    last.user_id AS "userId", encode(last.sale, 'hex') AS sale, last.ordinal
  FROM target LEFT JOIN last ON true`;

async function movePart(
  connection: Connection,
  eventId: string,
  { userId, sale, ordinal }: Place,
  rows: number,
): Promise<Part> {
  const [row] = await connection.query<
    { epoch: number; moved: number } & ({ userId: null } | Place)
  >({
    name: "catalog-move-tickets",
    text: MOVE_PART,
    values: [eventId, userId, Buffer.from(sale, "hex"), ordinal, rows],
  });
  if (row === undefined) return { locked: true, moved: 0 };
  const { epoch, moved } = row;
  return row.userId === null
    ? { locked: true, epoch, moved }
    : { locked: true, epoch, moved, last: row };
}

/** Takes the mark away if all tickets have followed and no later import has set its own. */
async function endMove(connection: Connection, eventId: string, epoch: number): Promise<Part> {
  const ended = await connection.query({
    name: "catalog-end-ticket-move",
    text: `
      UPDATE event SET ticket_move_epoch = NULL
      WHERE id = $1 AND ticket_move_epoch = $2 AND NOT EXISTS (SELECT FROM event_tickets AS ticket
        WHERE ticket.event_id = $1 AND ticket.event_date <> event.date)
      RETURNING 1`,
    values: [eventId, epoch],
  });
  return ended.length > 0 ? { locked: true, moved: 0 } : { locked: true, epoch, moved: 0 };
}
