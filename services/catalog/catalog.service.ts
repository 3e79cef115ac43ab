import type { Context, ServiceSchema } from "moleculer";
import { EVENT_LIMITS, type EventRecord } from "../../domain/event-record.ts";
import { accepted, type Answer } from "../../domain/refusal.ts";
import {
  AVAILABILITY_CHANGED,
  type AvailabilityChanged,
} from "../../lib/availability/availability-event.ts";
import { type Database, tableMixin } from "../../lib/database/pool.ts";
import type { Metrics } from "../../lib/observability/metrics.ts";
import type { RedisClient } from "../../lib/redis/client.ts";
import { orRetryLater } from "../../lib/database/transient-errors.ts";
import { EVENT_TABLE, type EventView, readEvent } from "./events/event.model.ts";
import { createCacheInvalidation } from "./events/cache-invalidation.ts";
import type { Filters } from "./search/filter-options.ts";
import {
  type ImportDependencies,
  importEvents,
  type ImportOutcome,
} from "./import/import-events.ts";
import { leftNow } from "./search/current-availability.ts";
import {
  type CatalogCounts,
  createEventReader,
  newCatalogCounts,
  registerCatalogMetrics,
} from "./search/read-through-cache.ts";
import type { SearchPage } from "./search/find-page.ts";
import type { SearchParams } from "./search/search-filters.ts";

export type CatalogDependencies = {
  /** Of the profile "sale": a search that takes seconds is none. Closed by whoever opened it. */
  database: Database;
  /** Of the profile "long", for the import. */
  importDatabase: Database;
  redis: RedisClient;
  now?: () => number;
  /** Counted into, for whoever looks. */
  counts?: CatalogCounts;
  /** Undefined where nobody looks. */
  metrics?: Metrics | undefined;
};

/** `last`: the feed has ended, so the indexes are put in order for searches. */
export type ImportParams = { records: EventRecord[]; last?: boolean };

/** What moleculer-db gives a service, as far as it is used here. */
type WithAdapter = { adapter: { findById(id: string): Promise<unknown> } };

/** A batch waits for the batches in flight of the events it changes, and may book a backlog. */
const IMPORT_MS = 120_000;

const text = (max: number) => ({ type: "string", min: 1, max });
const optionalText = (max: number) => ({ ...text(max), optional: true });
const day = { type: "string", pattern: "^\\d{4}-\\d{2}-\\d{2}$", optional: true };
const whole = { type: "number", integer: true };

const RECORD_RULES = {
  source: text(EVENT_LIMITS.source),
  sourceId: text(EVENT_LIMITS.sourceId),
  name: text(EVENT_LIMITS.name),
  type: text(EVENT_LIMITS.type),
  location: text(EVENT_LIMITS.location),
  country: { ...text(EVENT_LIMITS.country), nullable: true },
  url: { ...text(EVENT_LIMITS.url), nullable: true },
  date: text(10),
  startTime: text(5),
  endTime: text(5),
  duration: whole,
  timeZone: text(64),
  startsAt: text(30),
  endsAt: text(30),
  totalCapacity: whole,
};

/**
 * The catalogue: what can be bought, where and when. The only writer of `event` but its capacity.
 */
export function createCatalogService(dependencies: CatalogDependencies): ServiceSchema {
  const {
    database,
    importDatabase,
    redis,
    now = Date.now,
    counts = newCatalogCounts(),
    metrics,
  } = dependencies;
  if (metrics !== undefined) registerCatalogMetrics(metrics, counts);
  const layers = createEventReader({ database, redis, now, counts });
  const renewals = createCacheInvalidation(redis);
  let writtenSinceTidied = 0;

  /** Pages are read from the indexes alone only where VACUUM has been. */
  const tidy = async (log: { warn(message: string, error: unknown): void }): Promise<void> => {
    try {
      await importDatabase.query({ text: "VACUUM (ANALYZE) event" });
    } catch (error) {
      log.warn(
        "The event table could not be vacuumed after an import; PostgreSQL will do it later",
        error,
      );
    }
  };

  return {
    name: "catalog",
    mixins: [tableMixin(database, EVENT_TABLE)],

    actions: {
      /**
       * A page of events. Can refuse with: VALIDATION_ERROR (a day that is none, a cursor that is
       * not ours), TRY_AGAIN.
       */
      search: {
        auth: "public",
        params: {
          $$strict: true,
          location: optionalText(100),
          name: optionalText(100),
          type: optionalText(50),
          date: day,
          from: day,
          to: day,
          limit: { ...whole, min: 1, max: 100, optional: true },
          cursor: { type: "string", max: 1_000, optional: true },
        },
        handler(ctx: Context<SearchParams>): Promise<Answer<SearchPage>> {
          return layers.search(ctx.params);
        },
      },

      /** One event, also a past one. Can refuse with: EVENT_NOT_FOUND, TRY_AGAIN. */
      get: {
        auth: "public",
        params: { $$strict: true, eventId: { type: "uuid" } },
        handler(ctx: Context<{ eventId: string }>): Promise<Answer<EventView>> {
          const { adapter } = this as unknown as WithAdapter;
          const id = ctx.params.eventId.toLowerCase();
          return layers.get(id, async () => readEvent(await adapter.findById(id)));
        },
      },

      /**
       * What so many events have left to sell, with the stamps to tell old news from new. Can
       * refuse with: TRY_AGAIN.
       */
      left: {
        auth: "public",
        params: {
          $$strict: true,
          eventIds: { type: "array", min: 1, max: 500, items: { type: "uuid" } },
        },
        handler(ctx: Context<{ eventIds: string[] }>): Promise<Answer<AvailabilityChanged>> {
          return leftNow(database, redis, ctx.params.eventIds);
        },
      },

      /** The cities and types of upcoming events, most events first. Can refuse with: TRY_AGAIN. */
      filters: {
        auth: "public",
        params: { $$strict: true },
        handler(): Promise<Answer<Filters>> {
          return layers.filters();
        },
      },

      /** No page and no event that was read before is fresh from now on. */
      flush: {
        auth: "operator",
        params: { $$strict: true },
        async handler(): Promise<Answer<{ flushed: true }>> {
          await renewals.invalidate();
          return accepted({ flushed: true });
        },
      },

      /** How many questions of this node which layer answered, for operators. */
      status: {
        auth: "operator",
        unaudited: true,
        params: { $$strict: true },
        handler: () => accepted(counts),
      },

      /**
       * Writes a batch of a feed; says for each record, in order, what became of it. Can refuse
       * with: TRY_AGAIN, where some of it may be written; to write that again changes nothing.
       */
      import: {
        auth: "operator",
        timeout: IMPORT_MS,
        params: {
          $$strict: true,
          records: {
            type: "array",
            max: 1_000,
            items: { type: "object", strict: true, props: RECORD_RULES },
          },
          last: { type: "boolean", optional: true },
        },
        async handler(ctx: Context<ImportParams>): Promise<Answer<{ outcomes: ImportOutcome[] }>> {
          const tell = (what: string, facts: object): void => {
            // Whoever does not hear of it finds the truth in PostgreSQL, a little later.
            this.broker
              .broadcast(what, facts)
              .catch((error: unknown) => this.logger.warn(`${what} was not sent`, error));
          };
          const changed: ImportDependencies["changed"] = (eventId, left) => {
            tell("event.changed", { eventId });
            const items = left && [
              { eventId, available: left.available, epoch: left.epoch, batch: 0 },
            ];
            if (items !== undefined)
              tell(AVAILABILITY_CHANGED, { items } satisfies AvailabilityChanged);
          };
          const node = this.broker.nodeID;
          const writing = { database: importDatabase, redis, cache: renewals, node, changed };
          const answer = await orRetryLater(
            async () => accepted({ outcomes: await importEvents(writing, ctx.params.records) }),
            IMPORT_MS,
          );
          if (!answer.ok) return answer;
          writtenSinceTidied += answer.value.outcomes.filter(
            ({ outcome }) => outcome === "imported" || outcome === "updated",
          ).length;
          if (ctx.params.last === true && writtenSinceTidied > 0) {
            writtenSinceTidied = 0;
            await tidy(this.logger);
          }
          return answer;
        },
      },
    },

    stopped() {
      renewals.close();
    },
  };
}
