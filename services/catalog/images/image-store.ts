import type { FeedImage, KnownImage, NewImage } from "../../../domain/event-image.ts";
import { lockEvents } from "../../../lib/database/ledger-booking.ts";
import type { Connection, Database } from "../../../lib/database/pool.ts";

/** Compares the pictures of a feed with the stored ones, in order. Unknown events are null. */
export async function compareImages(
  connection: Connection,
  events: readonly FeedImage[],
): Promise<(KnownImage | null)[]> {
  const ids = events.flatMap(({ eventId, otherId }) => [eventId, otherId ?? eventId]);
  const rows = await connection.query<{ id: string; url: string | null; hash: string | null }>({
    name: "catalog-compare-images",
    text: `SELECT id, image_url AS url, image ->> 'hash' AS hash
      FROM event WHERE id = ANY($1::uuid[])`,
    values: [ids],
  });
  const stored = new Map(rows.map((row) => [row.id, row]));
  return events.map(({ eventId, otherId = eventId, url }) => {
    const found = stored.get(eventId) ?? stored.get(otherId);
    if (found === undefined) return null;
    return { eventId: found.id, same: found.url === url, hash: found.hash };
  });
}

/** Writes which picture events have. No sale depends on it, so there is no new epoch. */
export async function storeImages(database: Database, images: readonly NewImage[]): Promise<void> {
  await database.transaction(async (connection) => {
    await lockEvents(
      connection,
      images.map(({ eventId }) => eventId),
    );
    await connection.query({
      name: "catalog-store-images",
      text: `
        UPDATE event SET image_url = new.url, image = new.image
        FROM json_to_recordset($1::json) AS new ("eventId" uuid, url text, image jsonb)
        WHERE event.id = new."eventId"`,
      values: [JSON.stringify(images)],
    });
  });
}

/** Returns those of the hashes that an event uses. */
export async function usedImages(
  connection: Connection,
  hashes: readonly string[],
): Promise<string[]> {
  const rows = await connection.query<{ hash: string }>({
    name: "catalog-used-images",
    text: `SELECT DISTINCT image ->> 'hash' AS hash FROM event
      WHERE image IS NOT NULL AND image ->> 'hash' = ANY($1::text[])`,
    values: [hashes],
  });
  return rows.map(({ hash }) => hash);
}
