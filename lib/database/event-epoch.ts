import type { Connection } from "./pool.ts";

/** The row of the next epoch in an UPDATE of `worker`. `clock`: PostgreSQL's, in milliseconds. */
const nextEpoch = (clock: string): string => `
  epoch = greatest(worker.epoch + 1, ${clock}), batch = 0, node = $2,
    available = CASE WHEN worker.available_epoch = worker.epoch THEN worker.available END,
    available_epoch = greatest(worker.epoch + 1, ${clock})`;

/** The rows of events that no node has owned yet. `which`: a condition on the event's id. */
const firstEpochs = (which: string): string => `
  INSERT INTO event_worker AS worker (event_id, epoch, batch, node, available, available_epoch)
  SELECT event.id, clock.epoch, 0, $2, event.capacity, clock.epoch
  FROM event, (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS epoch) AS clock
  WHERE event.id ${which}`;

/**
 * Takes the event's epoch. Only the holder of the epoch may change the event's sales. A statement
 * of an older epoch that is running is waited for; a later one is fenced. The clock in the epoch
 * (milliseconds) keeps epochs growing across a restored backup.
 *
 * `available` stays as the last holder left it. It is null if that was an engine of an earlier
 * release, which did not keep it.
 *
 * Commit it before reading anything of the event, and read in a new statement.
 */
export const TAKE_EPOCH = {
  name: "take-epoch",
  text: `${firstEpochs("= $1")}
    ON CONFLICT (event_id) DO UPDATE SET ${nextEpoch("excluded.epoch")}
    RETURNING epoch::float8 AS epoch, available`,
} as const;

/**
 * `TAKE_EPOCH` for several events: one transaction and one flush. A row that another session has
 * locked is skipped, so that a statement of one event delays no other. Such an event is missing in
 * the result, and one that another node has just opened: take those alone. New rows are opened in
 * the order of their ids, so that two takers cannot wait for each other.
 */
export const TAKE_EPOCHS = {
  name: "take-epochs",
  text: `
    WITH free AS MATERIALIZED (
      SELECT event_id, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS clock
      FROM event_worker WHERE event_id = ANY ($1::uuid[]) FOR UPDATE SKIP LOCKED
    ), taken AS (
      UPDATE event_worker AS worker SET ${nextEpoch("free.clock")}
      FROM free WHERE worker.event_id = free.event_id
      RETURNING worker.event_id, worker.epoch, worker.available
    ), opened AS (
      ${firstEpochs("= ANY ($1::uuid[])")}
        AND NOT EXISTS (SELECT FROM event_worker AS known WHERE known.event_id = event.id)
      ORDER BY event.id
      ON CONFLICT (event_id) DO NOTHING
      RETURNING event_id, epoch, available
    )
    SELECT event_id AS "eventId", epoch::float8 AS epoch
    FROM (SELECT * FROM taken UNION ALL SELECT * FROM opened) AS row
    WHERE available IS NOT NULL`,
} as const;

/**
 * What an event has left to sell, in SQL, from the rows `event` and `worker` (event_worker, null
 * where the event was never sold): the ownership row's number; if an earlier release took the last
 * epoch, what the ledger has booked and what it has not booked yet.
 */
export const LEFT_TO_SELL = `
  CASE WHEN worker.available_epoch = worker.epoch THEN worker.available
    ELSE event.capacity + coalesce((SELECT sum(quantity) FROM event_ticket_transactions AS waiting
      WHERE waiting.event_id = event.id), 0) END`;

/**
 * Computes `available` under an epoch that was taken from an earlier release. Not below 0: a
 * capacity that is wrong must not keep an import from mending it.
 */
const FILL_AVAILABLE = {
  name: "fill-available",
  text: `
    UPDATE event_worker AS worker
    SET available = greatest(0, event.capacity + coalesce((SELECT sum(quantity)
      FROM event_ticket_transactions WHERE event_id = $1), 0))
    FROM event WHERE worker.event_id = $1 AND event.id = $1 AND worker.epoch = $2`,
} as const;

/**
 * Returns the new epoch, or undefined if there is no such event. Holds the worker's row until the
 * transaction ends.
 */
export async function takeEpoch(
  connection: Connection,
  eventId: string,
  node: string,
): Promise<number | undefined> {
  const [taken] = await connection.query<{ epoch: number; available: number | null }>({
    ...TAKE_EPOCH,
    values: [eventId, node],
  });
  if (taken === undefined) return undefined;
  // A new statement: its snapshot has all that earlier epochs sold.
  if (taken.available === null)
    await connection.query({ ...FILL_AVAILABLE, values: [eventId, taken.epoch] });
  return taken.epoch;
}
