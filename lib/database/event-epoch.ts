import type { Connection } from "./pool.ts";

/**
 * Takes the event's epoch: only its holder may change the event's sales. Waits for a running
 * statement of an older epoch; later ones are fenced. The clock keeps epochs growing after a
 * restored backup. Commit it before reading the event in a new statement.
 */
export const TAKE_EPOCH = {
  name: "take-epoch",
  text: `
    INSERT INTO event_worker AS worker (event_id, epoch, batch, node)
    SELECT id, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, 0, $2 FROM event WHERE id = $1
    ON CONFLICT (event_id) DO UPDATE
      SET epoch = greatest(worker.epoch + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint), batch = 0, node = excluded.node
    RETURNING epoch::float8 AS epoch`,
} as const;

/**
 * Returns the new epoch; undefined for an unknown event. A transaction keeps the row lock to its
 * end.
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
