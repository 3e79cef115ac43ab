import type { EventRecord } from "../../../domain/event-record.ts";
import { accepted, type Answer } from "../../../domain/refusal.ts";
import {
  AVAILABILITY_CHANGED,
  type AvailabilityChanged,
} from "../../../lib/availability/availability-cache.ts";
import { orRetryLater } from "../../../lib/database/pool.ts";
import { type ImportDependencies, importEvents, type ImportOutcome } from "./import-events.ts";

/** A batch waits for the batches in flight of the events it changes, and may book a backlog. */
export const IMPORT_TIMEOUT_MS = 120_000;

export type ImporterOptions = Omit<ImportDependencies, "changed"> & {
  broadcast: (event: string, payload: object) => Promise<unknown>;
  warn: (message: string, error: unknown) => void;
};

/**
 * Imports one batch of a feed; `last` ends the feed. Can refuse with: TRY_AGAIN, after which a part
 * may be written and repeating it is safe.
 */
export type ImportBatch = (
  records: readonly EventRecord[],
  last: boolean,
) => Promise<Answer<{ outcomes: ImportOutcome[] }>>;

/** Imports batches, notifies all nodes of changed events, and vacuums the table after a feed. */
export function createImporter(options: ImporterOptions): ImportBatch {
  const { database, broadcast, warn } = options;
  let writtenSinceVacuum = 0;

  const notify = (event: string, payload: object): void => {
    // A node that misses the event reads the truth from PostgreSQL a little later.
    broadcast(event, payload).catch((error: unknown) => warn(`${event} was not sent`, error));
  };
  const changed: ImportDependencies["changed"] = (eventId, availability) => {
    notify("event.changed", { eventId });
    if (availability === undefined) return;
    const items = [{ eventId, ...availability, batch: 0 }];
    notify(AVAILABILITY_CHANGED, { items } satisfies AvailabilityChanged);
  };
  /** Index-only scans of pages need a vacuumed table. */
  const vacuum = async (): Promise<void> => {
    try {
      await database.maintain("VACUUM (ANALYZE) event");
    } catch (error) {
      warn("The table event was not vacuumed after an import; autovacuum does it later", error);
    }
  };

  return async (records, last) => {
    const answer = await orRetryLater(
      async () => accepted({ outcomes: await importEvents({ ...options, changed }, records) }),
      IMPORT_TIMEOUT_MS,
    );
    if (!answer.ok) return answer;
    writtenSinceVacuum += answer.value.outcomes.filter(
      ({ outcome }) => outcome === "imported" || outcome === "updated",
    ).length;
    if (last && writtenSinceVacuum > 0) {
      writtenSinceVacuum = 0;
      await vacuum();
    }
    return answer;
  };
}
