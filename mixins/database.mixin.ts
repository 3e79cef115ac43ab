import type { ServiceSchema } from "moleculer";
import { nodeContextOf, serverUrlOf } from "../lib/bus/node-context.ts";
import { createSharedClient, type SharedClient } from "../lib/bus/shared-client.ts";
import { type Database, openDatabase, type Profile } from "../lib/database/pool.ts";
import { tracedQueries } from "../lib/observability/query-tracing.ts";
import { defineMixin } from "./define-mixin.ts";

/** What `DatabaseMixin` adds to a service: `this.databases.sale.query(…)`. */
export type WithDatabases<Profiles extends Profile> = { databases: Record<Profiles, Database> };

function sharedPool(profile: Profile): SharedClient<Database> {
  return createSharedClient(
    (broker) => {
      const { tracing } = nodeContextOf(broker);
      const wrap = tracing && tracedQueries(tracing);
      return openDatabase(serverUrlOf(broker, "databaseUrl"), profile, wrap);
    },
    (database) => database.close(),
  );
}

/** The pools of a node. Each connects at its first query. */
export const databasePools: Readonly<Record<Profile, SharedClient<Database>>> = {
  sale: sharedPool("sale"),
  worker: sharedPool("worker"),
  long: sharedPool("long"),
};

/**
 * Gives a service a PostgreSQL pool of each profile. The node is then ready only if PostgreSQL
 * answers.
 */
export function DatabaseMixin(options: { profiles: readonly Profile[] }): Partial<ServiceSchema> {
  // The readiness check needs a pool whose queries fail fast.
  const profiles = new Set<Profile>(["sale", ...options.profiles]);
  return defineMixin<{ databases: Partial<Record<Profile, Database>> }>({
    created() {
      this.databases = {};
      for (const profile of profiles)
        this.databases[profile] = databasePools[profile].acquire(this.broker);
      const { sale } = this.databases;
      nodeContextOf(this.broker).checks.database = async () =>
        (await sale?.query({ text: "SELECT 1" }))?.length === 1;
    },
    async stopped() {
      for (const profile of profiles) await databasePools[profile].release(this.broker);
    },
  });
}
