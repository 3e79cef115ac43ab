import { WHOLE_BACKLOG, bookPending, lockEvents } from "../../../lib/database/ledger-booking.ts";
import { type Database, isServerError } from "../../../lib/database/pool.ts";
import {
  type DeadLetter,
  type Messenger,
  overDeadLetters,
} from "../../../lib/queue/dead-letters.ts";
import { eventIdsOf } from "../../../lib/queue/index.ts";
import { isIntegrityError } from "../booking/transaction-consumer.ts";

/** `failed`: rows that still are. `sentence`: what was done, or why it could not be. */
export type Retried = { eventId: string; booked: number; failed: number; sentence: string };
export type Replayed = {
  /** Back in the transaction queue. */
  replayed: number;
  /** Dead letters that were not moved: of another id, beyond the limit, or kept. */
  left: number;
  /** Those whose event still cannot be booked stay dead letters. */
  kept: { id: string; sentence: string }[];
};

/**
 * Finding one message means reading all before it. A queue longer than this is replayed as a whole.
 */
const SEARCHED_MAX = 10_000;

type Failed = { failed: number; quantity: number; twice: number; capacity: number; total: number };

/**
 * Books an event's failed rows, after an operator has repaired the event, together with its pending
 * rows, in one transaction: all or none. If none, nothing has changed, and the sentence says what
 * is still wrong. Undefined: no such event. Rejects while PostgreSQL is down.
 */
export async function retryFailed(
  database: Database,
  eventId: string,
): Promise<Retried | undefined> {
  const rows = await failedOf(database, eventId);
  if (rows === undefined) return undefined;
  if (rows.failed === 0)
    return {
      eventId,
      booked: 0,
      failed: 0,
      sentence: `Event ${eventId} has no failed rows; nothing was done.`,
    };
  try {
    const booked = await database.transaction(async (connection) => {
      await lockEvents(connection, [eventId]);
      const [again] = await connection.query<{ rows: number }>({
        text: `
          WITH again AS (
            UPDATE event_ticket_transactions SET status = 'pending' WHERE event_id = $1
              AND status = 'failed' RETURNING 1
          ) SELECT count(*)::integer AS rows FROM again`,
        values: [eventId],
      });
      // Not in parts: the failed rows are older than what was booked since, and the rows that freed
      // places may come last.
      await bookPending(connection, [eventId], WHOLE_BACKLOG);
      return again?.rows ?? 0;
    });
    return {
      eventId,
      booked,
      failed: 0,
      sentence:
        `${booked} failed rows of event ${eventId} are booked; its capacity and the ledger ` +
        "have them.",
    };
  } catch (error) {
    if (!isServerError(error) || !isIntegrityError(error)) throw error;
    return {
      eventId,
      booked: 0,
      failed: rows.failed,
      sentence: obstacle(eventId, (await failedOf(database, eventId)) ?? rows),
    };
  }
}

async function failedOf(database: Database, eventId: string): Promise<Failed | undefined> {
  const [row] = await database.query<Failed>({
    text: `
      SELECT count(waiting.*) FILTER (WHERE waiting.status = 'failed')::integer AS failed,
        coalesce(sum(waiting.quantity), 0)::float8 AS quantity,
        count(ledger.event_id)::integer AS twice, event.capacity,
          event.total_capacity AS total
      FROM event
      LEFT JOIN event_ticket_transactions AS waiting ON waiting.event_id = event.id
        AND waiting.status <> 'completed'
      LEFT JOIN capacity_ledger AS ledger ON ledger.event_id = event.id
        AND ledger.epoch = waiting.epoch AND ledger.batch = waiting.batch
        AND ledger.transaction_id IN (waiting.transaction_id, '\\x')
      WHERE event.id = $1 GROUP BY event.id`,
    values: [eventId],
  });
  return row;
}

function obstacle(eventId: string, { failed, quantity, twice, capacity, total }: Failed): string {
  const why =
    twice > 0
      ? `${twice} of the rows that wait are in the ledger already and would be booked twice. ` +
        "Delete them, if the tickets bear out the ledger."
      : `Capacity ${capacity} and ${quantity} not yet booked would make ` +
        `${capacity + quantity}, which must be 0 to ${total}. Reconcile says which number is ` +
        "wrong; importing the event again with its total sets the capacity from the tickets.";
  return (
    `${failed} failed rows of event ${eventId} still cannot be booked, and nothing was ` +
    `changed. ${why}`
  );
}

/** Lists the oldest dead letters and keeps them. Undefined: RabbitMQ is down. */
export async function listDeadLetters(
  messenger: Messenger,
  limit: number,
): Promise<{ waiting: number; letters: DeadLetter[] } | undefined> {
  const letters: DeadLetter[] = [];
  const looked = await overDeadLetters(messenger, limit, async (letter) => {
    letters.push(letter);
    return undefined;
  });
  return looked && { ...looked, letters };
}

/**
 * Moves dead letters (with `id`: those of this id) back into the queue, at most `limit`. First it
 * retries the failed rows of their events: a message books pending rows only. Undefined: RabbitMQ
 * is down; what was moved stays moved. Rejects while PostgreSQL is down.
 */
export async function replayDeadLetters(
  messenger: Messenger,
  database: Database,
  { id, limit }: { id?: string | undefined; limit: number },
): Promise<Replayed | undefined> {
  const kept: Replayed["kept"] = [];
  let replayed = 0;
  const looked = await overDeadLetters(
    messenger,
    id === undefined ? limit : SEARCHED_MAX,
    async (letter, message) => {
      if ((id !== undefined && letter.id !== id) || replayed + kept.length >= limit)
        return undefined;
      const obstacles: string[] = [];
      for (const eventId of message === undefined ? [] : eventIdsOf(message)) {
        const retried = await retryFailed(database, eventId);
        if (retried !== undefined && retried.failed > 0) obstacles.push(retried.sentence);
      }
      if (obstacles.length > 0) {
        kept.push({ id: letter.id, sentence: obstacles.join(" ") });
        return undefined;
      }
      replayed += 1;
      return "replay";
    },
  );
  return looked && { replayed, kept, left: Math.max(0, looked.waiting - replayed) };
}

/**
 * Deletes the dead letters of this id that cannot be read. A readable one should be replayed.
 * Undefined: RabbitMQ is down.
 */
export async function discardDeadLetter(
  messenger: Messenger,
  id: string,
): Promise<{ discarded: number; readable: number } | undefined> {
  let [discarded, readable] = [0, 0];
  const looked = await overDeadLetters(messenger, SEARCHED_MAX, async (letter) => {
    if (letter.id !== id) return undefined;
    if (letter.readable) readable += 1;
    else discarded += 1;
    return letter.readable ? undefined : "discard";
  });
  return looked && { discarded, readable };
}
