import type { Connection } from "./pool.ts";

/**
 * Takes the event's epoch. Only the holder of the epoch may change the event's sales. A statement
 * of an older epoch that is running is waited for; a later one is fenced. The clock in the epoch
 * (milliseconds) keeps epochs growing across a restored backup.
 *
 * Commit it before reading anything of the event, and read in a new statement.
 */
export const TAKE_EPOCH = {
  name: "take-epoch",
  text: `
    INSERT INTO event_worker AS worker (event_id, epoch, batch, node)
    SELECT id, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, 0, $2
    FROM event WHERE id = $1
    ON CONFLICT (event_id) DO UPDATE
      SET epoch = greatest(worker.epoch + 1,
        (extract(epoch FROM clock_timestamp()) * 1000)::bigint),
        batch = 0, node = excluded.node
    RETURNING epoch::float8 AS epoch`,
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
  const rows = await connection.query<{ epoch: number }>({
    ...TAKE_EPOCH,
    values: [eventId, node],
  });
  return rows[0]?.epoch;
}
