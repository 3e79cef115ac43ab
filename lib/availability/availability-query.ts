import type { EventStatus } from "../../domain/event-record.ts";
import { LEFT_TO_SELL } from "../database/event-epoch.ts";
import type { Connection } from "../database/pool.ts";
import { type Availability, writeAvailability } from "./availability-cache.ts";
import type { RedisClient } from "../redis/client.ts";

/**
 * Reads the availability of events from PostgreSQL, never below 0, as of the last commit of each
 * event's worker, and the status of each event.
 *
 * One statement, so one snapshot: a worker's commit changes its batch number together with what is
 * left. So the number may be cached under the version beside it, as the worker itself would.
 */
export async function readLeftToSell(
  connection: Connection,
  eventIds: readonly string[],
): Promise<(Availability & { status: EventStatus })[]> {
  return connection.query<Availability & { status: EventStatus }>({
    name: "left-to-sell",
    text: `
      SELECT event.id AS "eventId",
        greatest(0, ${LEFT_TO_SELL})::float8 AS available,
        coalesce(worker.epoch, 0)::float8 AS epoch, coalesce(worker.batch, 0)::float8 AS batch,
        (extract(epoch FROM event.ends_at) * 1000)::float8 AS "endsAtMs", event.status
      FROM unnest($1::uuid[]) AS named (id) JOIN event USING (id)
      LEFT JOIN event_worker AS worker ON worker.event_id = event.id`,
    values: [eventIds],
  });
}

/**
 * Caches the numbers. A newer cached value stays. Never rejects: without Redis readers use
 * PostgreSQL.
 */
export async function copyLeftToSell(
  redis: RedisClient,
  numbers: readonly Availability[],
): Promise<void> {
  await writeAvailability(redis, numbers).catch(() => undefined);
}
