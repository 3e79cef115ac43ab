import { ServiceBroker } from "moleculer";
import { readConfig } from "../../config/index.ts";
import type { EventRecord } from "../../domain/event-record.ts";
import type { Answer } from "../../domain/refusal.ts";
import { openNodeContext } from "../../lib/bus/node-context.ts";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import { type RedisClient, whenReady } from "../../lib/redis/client.ts";
import CatalogService from "../../services/catalog/catalog.service.ts";
import type { ImportOutcome } from "../../services/catalog/import/import-events.ts";
import type { CatalogCounts } from "../../services/catalog/search/read-through-cache.ts";
import { freshDatabase } from "./database.ts";
import { claimSlot } from "./servers.ts";

export type CatalogWorld = {
  broker: ServiceBroker;
  database: Database;
  redis: RedisClient;
  counts: CatalogCounts;
  /** Moves the catalog's clock. */
  setNow(ms: number): void;
  /** Ids in the events event.changed. */
  changed: string[];
  call<T>(action: string, params: object): Promise<Answer<T>>;
  /** Calls an action and returns its value. Throws for a refusal. */
  value<T>(action: string, params: object): Promise<T>;
  /** Imports in batches, as the command does. */
  import(records: readonly EventRecord[]): Promise<ImportOutcome[]>;
  close(): Promise<void>;
};

/**
 * Starts the catalog alone, on a database and a Redis of its own. `reads`: changes the database
 * URL of reads, so that a test can cut the connection. `redisUrl`: a Redis that the test may
 * disturb.
 */
export async function openCatalogWorld(
  nowMs: number,
  {
    reads = (url) => Promise.resolve(url),
    redisUrl,
  }: { reads?: (url: string) => Promise<string>; redisUrl?: string } = {},
): Promise<CatalogWorld> {
  const slot = await claimSlot();
  const fresh = await freshDatabase();
  const importDatabase = openDatabase(fresh.url, "long");
  const changed: string[] = [];
  let clockMs = nowMs;
  const broker = new ServiceBroker({ nodeID: "catalog-test", logger: false });
  const config = readConfig({
    SERVICES: "catalog",
    DATABASE_URL: await reads(fresh.url),
    REDIS_URL: redisUrl ?? slot.redisUrl,
  });
  openNodeContext(broker, config);
  broker.createService({
    ...CatalogService,
    methods: { ...CatalogService.methods, nowMs: () => clockMs },
    created: [
      function importDirectly(this: { databases: { long: Database } }) {
        this.databases.long = importDatabase;
      },
      ...[CatalogService.created ?? []].flat(),
    ],
  });
  broker.createService({
    name: "listener",
    events: {
      "event.changed": (ctx: { params: { eventId: string } }) =>
        void changed.push(ctx.params.eventId),
    },
  });
  await broker.start();
  const { databases, redis, counts } = broker.getLocalService("catalog") as unknown as {
    databases: { sale: Database };
    redis: RedisClient;
    counts: CatalogCounts;
  };
  await whenReady(redis, 5_000);

  const call = <T>(action: string, params: object) =>
    broker.call<Answer<T>, object>(action, params);
  const value = async <T>(action: string, params: object): Promise<T> => {
    const answer = await call<T>(action, params);
    if (!answer.ok) throw new Error(`${action} refused: ${JSON.stringify(answer.refusal)}`);
    return answer.value;
  };
  return {
    broker,
    database: databases.sale,
    redis,
    counts,
    changed,
    call,
    value,
    setNow: (ms) => (clockMs = ms),
    async import(records) {
      const outcomes: ImportOutcome[] = [];
      for (let start = 0; start < records.length; start += 500) {
        const batch = records.slice(start, start + 500);
        const last = start + 500 >= records.length;
        outcomes.push(
          ...(
            await value<{ outcomes: ImportOutcome[] }>("catalog.import", { records: batch, last })
          ).outcomes,
        );
      }
      return outcomes;
    },
    async close() {
      await broker.stop();
      await importDatabase.close();
      await fresh.drop();
      await slot.release();
    },
  };
}
