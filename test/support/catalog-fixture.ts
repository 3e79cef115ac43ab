import { ServiceBroker } from "moleculer";
import type { EventRecord } from "../../domain/event-record.ts";
import type { Answer } from "../../domain/refusal.ts";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import { openRedis, type RedisClient, whenReady } from "../../lib/redis/client.ts";
import { createCatalogService } from "../../services/catalog/catalog.service.ts";
import {
  type CatalogCounts,
  newCatalogCounts,
} from "../../services/catalog/search/read-through-cache.ts";
import type { ImportOutcome } from "../../services/catalog/import/import-events.ts";
import { freshDatabase } from "./database.ts";
import { claimSlot } from "./servers.ts";

export type CatalogWorld = {
  broker: ServiceBroker;
  database: Database;
  redis: RedisClient;
  counts: CatalogCounts;
  /** Moves the catalogue's clock. */
  setNow(ms: number): void;
  /** Ids of events that were announced as changed. */
  changed: string[];
  call<T>(action: string, params: object): Promise<Answer<T>>;
  /** As `call`; throws where the answer is a refusal. */
  value<T>(action: string, params: object): Promise<T>;
  /** Imports in batches, as the command does. */
  import(records: readonly EventRecord[]): Promise<ImportOutcome[]>;
  close(): Promise<void>;
};

/**
 * The catalogue on a database and a Redis of its own, with nothing else of the engine. `reads`: by which way its reads reach PostgreSQL, where a test
 * means to cut it off; `redisUrl`: a server that the test means to disturb.
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
  const database = openDatabase(await reads(fresh.url), "sale");
  const counts = newCatalogCounts();
  const importDatabase = openDatabase(fresh.url, "long");
  const redis = openRedis(redisUrl ?? slot.redisUrl, () => undefined);
  await whenReady(redis, 5_000);
  const changed: string[] = [];
  let clockMs = nowMs;
  const broker = new ServiceBroker({ nodeID: "catalog-test", logger: false });
  broker.createService(
    createCatalogService({ database, importDatabase, redis, counts, now: () => clockMs }),
  );
  broker.createService({
    name: "listener",
    events: {
      "event.changed": (ctx: { params: { eventId: string } }) =>
        void changed.push(ctx.params.eventId),
    },
  });
  await broker.start();

  const call = <T>(action: string, params: object) =>
    broker.call<Answer<T>, object>(action, params);
  const value = async <T>(action: string, params: object): Promise<T> => {
    const answer = await call<T>(action, params);
    if (!answer.ok) throw new Error(`${action} refused: ${JSON.stringify(answer.refusal)}`);
    return answer.value;
  };
  return {
    broker,
    database,
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
      redis.disconnect();
      await Promise.all([database.close(), importDatabase.close()]);
      await fresh.drop();
      await slot.release();
    },
  };
}
