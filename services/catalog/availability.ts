import type { Connection } from "../../mixins/database.ts";
import { availableKey, readAvailable } from "../../mixins/kept-copies.ts";
import type { RedisClient } from "../../mixins/redis.ts";

/**
 * What is left to sell of these events, by id, never below 0. From the copies that the events' workers keep in Redis; what is not there, or was
 * written before Redis forgot (another run_id), or all of it while Redis is away, comes from PostgreSQL in one query.
 */
export async function availableOf(database: Connection, redis: RedisClient, eventIds: readonly string[]): Promise<Map<string, number>> {
  if (eventIds.length === 0) return new Map();
  const available = await copiesOf(redis, eventIds);
  const missing = eventIds.filter((id) => !available.has(id));
  if (missing.length === 0) return available;
  const rows = await database.query<{ id: string; available: number }>({
    name: "catalog-available",
    text: `
      SELECT event.id, greatest(0, event.capacity + coalesce(pending.quantity, 0))::float8 AS available
      FROM unnest($1::uuid[]) AS named (id) JOIN event USING (id)
      LEFT JOIN LATERAL (SELECT sum(quantity) AS quantity FROM event_ticket_transactions WHERE event_id = event.id) AS pending ON true`,
    values: [missing],
  });
  for (const row of rows) available.set(row.id, row.available);
  return available;
}

async function copiesOf(redis: RedisClient, eventIds: readonly string[]): Promise<Map<string, number>> {
  const copies = new Map<string, number>();
  const run = redis.runId();
  if (run === undefined) return copies;
  let texts: (string | null)[];
  try {
    texts = await redis.mget(...eventIds.map(availableKey));
  } catch {
    // Redis is away or frozen: the truth is elsewhere anyway.
    return copies;
  }
  eventIds.forEach((id, index) => {
    const available = readAvailable(texts[index], run);
    if (available !== undefined) copies.set(id, available);
  });
  return copies;
}
