import type { Context, ServiceSchema, ServiceSettingSchema } from "moleculer";
import type { EventRecord } from "../../domain/event-record.ts";
import { accepted, type Answer } from "../../domain/refusal.ts";
import type { AvailabilityChanged } from "../../lib/availability/availability-cache.ts";
import { orRetryLater } from "../../lib/database/pool.ts";
import { nodeContextOf } from "../../lib/bus/node-context.ts";
import { DatabaseMixin, type WithDatabases } from "../../mixins/database.mixin.ts";
import { RedisMixin, type WithRedis } from "../../mixins/redis.mixin.ts";
import { TableMixin } from "../../mixins/table.mixin.ts";
import {
  AVAILABILITY_PARAMS,
  GET_PARAMS,
  IMPORT_PARAMS,
  type ImportParams,
  SEARCH_PARAMS,
  UPCOMING_PARAMS,
  type UpcomingParams,
} from "./catalog.params.ts";
import { type CacheInvalidation, createCacheInvalidation } from "./events/cache-invalidation.ts";
import { upcomingRecords } from "./events/event-store.ts";
import { EVENT_TABLE, type EventView, readEvent } from "./events/event.model.ts";
import { imageActions } from "./images/image.actions.ts";
import { createImporter, IMPORT_TIMEOUT_MS, type ImportBatch } from "./import/importer.ts";
import { createTicketMover, type TicketMover } from "./import/ticket-moves.ts";
import type { ImportOutcome } from "./import/import-events.ts";
import { readCurrentAvailability } from "./search/current-availability.ts";
import type { Filters } from "./search/filter-options.ts";
import type { SearchPage } from "./search/find-page.ts";
import {
  type CatalogCounts,
  createEventReader,
  type EventReader,
  newCatalogCounts,
  registerCatalogMetrics,
} from "./search/read-through-cache.ts";
import type { SearchParams } from "./search/search-filters.ts";

type CatalogVars = WithDatabases<"sale" | "long"> &
  WithRedis & {
    adapter: { findById(id: string): Promise<unknown> };
    /** Reads by the layer that answered. */
    counts: CatalogCounts;
    reader: EventReader;
    cache: CacheInvalidation;
    importBatch: ImportBatch;
    ticketMover: TicketMover;
  };
type CatalogMethods = { nowMs(): number };

/** Searches and imports events. Only writer of `event`, except its capacity. */
const CatalogService: ServiceSchema<ServiceSettingSchema, CatalogMethods, CatalogVars> = {
  name: "catalog",
  mixins: [
    TableMixin(EVENT_TABLE),
    RedisMixin(),
    // A search runs on "sale", which fails fast; an import on "long".
    DatabaseMixin({ profiles: ["sale", "long"] }),
  ],

  actions: {
    /**
     * Finds a page of events. Can refuse with: VALIDATION_ERROR (invalid date, cursor),
     * TRY_AGAIN.
     */
    search: {
      auth: "public",
      params: SEARCH_PARAMS,
      handler(ctx: Context<SearchParams>): Promise<Answer<SearchPage>> {
        return this.reader.search(ctx.params);
      },
    },

    /** Reads one event, also a past one. Can refuse with: EVENT_NOT_FOUND, TRY_AGAIN. */
    get: {
      auth: "public",
      params: GET_PARAMS,
      handler(ctx: Context<{ eventId: string }>): Promise<Answer<EventView>> {
        const id = ctx.params.eventId.toLowerCase();
        return this.reader.get(id, async () => readEvent(await this.adapter.findById(id)));
      },
    },

    /**
     * Reads the availability of events with its version (epoch, batch). Can refuse with:
     * TRY_AGAIN.
     */
    left: {
      auth: "public",
      params: AVAILABILITY_PARAMS,
      handler(ctx: Context<{ eventIds: string[] }>): Promise<Answer<AvailabilityChanged>> {
        return readCurrentAvailability(this.databases.sale, this.redis, ctx.params.eventIds);
      },
    },

    /** Lists cities and types of upcoming events, most events first. Can refuse with: TRY_AGAIN. */
    filters: {
      auth: "public",
      params: { $$strict: true },
      handler(): Promise<Answer<Filters>> {
        return this.reader.filters();
      },
    },

    /** Makes all cached pages and events stale. */
    flush: {
      auth: "operator",
      params: { $$strict: true },
      async handler(): Promise<Answer<{ flushed: true }>> {
        await this.cache.invalidate();
        return accepted({ flushed: true });
      },
    },

    /** Returns this node's reads by the layer that answered. */
    status: {
      auth: "operator",
      unaudited: true,
      params: { $$strict: true },
      handler(): Answer<CatalogCounts> {
        return accepted(this.counts);
      },
    },

    /**
     * Lists the events of a source that can still be sold, in the order of the source's ids, from
     * behind `after`. An empty page is the end. Can refuse with: TRY_AGAIN.
     */
    upcoming: {
      auth: "operator",
      unaudited: true,
      params: UPCOMING_PARAMS,
      handler(ctx: Context<UpcomingParams>): Promise<Answer<{ records: EventRecord[] }>> {
        const { source, after = "" } = ctx.params;
        return orRetryLater(async () =>
          accepted({ records: await upcomingRecords(this.databases.long, source, after) }),
        );
      },
    },

    /** Imports a batch of a feed. Returns one outcome per record. Can refuse with: TRY_AGAIN. */
    import: {
      auth: "operator",
      timeout: IMPORT_TIMEOUT_MS,
      params: IMPORT_PARAMS,
      handler(ctx: Context<ImportParams>): Promise<Answer<{ outcomes: ImportOutcome[] }>> {
        const { records, last = false } = ctx.params;
        return this.importBatch(records, last);
      },
    },

    ...imageActions,
  },

  methods: {
    /** The clock of the catalog. A test replaces it. */
    nowMs: () => Date.now(),
  },

  created() {
    const { broker, databases, redis, logger } = this;
    const { metrics } = nodeContextOf(broker);
    this.counts = newCatalogCounts();
    if (metrics !== undefined) registerCatalogMetrics(metrics, this.counts);
    this.reader = createEventReader({
      database: databases.sale,
      redis,
      now: () => this.nowMs(),
      counts: this.counts,
    });
    this.cache = createCacheInvalidation(redis);
    const warn = (message: string, error: unknown): void => logger.warn(message, error);
    this.ticketMover = createTicketMover({ database: databases.long, warn });
    this.importBatch = createImporter({
      database: databases.long,
      redis,
      cache: this.cache,
      node: broker.nodeID,
      broadcast: (event, payload) => broker.broadcast(event, payload),
      moveTickets: () => this.ticketMover.wake(),
      warn,
    });
  },

  started() {
    // An import whose node died may have left tickets behind.
    this.ticketMover.wake();
  },

  async stopped() {
    this.cache.close();
    await this.ticketMover.close();
  },
};
export default CatalogService;
