import type { ServiceBroker, ServiceSchema } from "moleculer";
import { nodeContextOf, serverUrlOf, watchConnection } from "../lib/bus/node-context.ts";
import { createSharedClient, type SharedClient } from "../lib/bus/shared-client.ts";
import { type Database, isUnavailable, openDatabase, type Profile } from "../lib/database/pool.ts";
import { createServerLook } from "../lib/database/server-state.ts";
import { damagesOf, isSlow, logTroubles, timeoutsOf } from "../lib/database/server-troubles.ts";
import { isUntrusted, reasonOf } from "../lib/observability/connection-reason.ts";
import { tracedQueries } from "../lib/observability/query-tracing.ts";
import { ConfigError } from "../config/index.ts";
import { durabilityProblems } from "../lib/database/durability.ts";
import { missingSettings, superuserOf } from "../lib/database/session-settings.ts";
import { defineMixin } from "./define-mixin.ts";

/** What `DatabaseMixin` adds to a service: `this.databases.sale.query(…)`. */
export type WithDatabases<Profiles extends Profile> = { databases: Record<Profiles, Database> };

function sharedPool(profile: Profile): SharedClient<Database> {
  return createSharedClient(
    (broker) => {
      const { tracing, config } = nodeContextOf(broker);
      return openDatabase(serverUrlOf(broker, "databaseUrl"), profile, {
        wrap: tracing && tracedQueries(tracing),
        poolMax: config.databasePoolMax,
        pooler: config.databasePooler,
      });
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

/** Brokers whose sessions were found to have their limits, and whose server is durable. */
const checked = new WeakSet<ServiceBroker>();

/**
 * Checks once that sessions end statements in time: without limits, a lock would hold up a sale for
 * ever. Checks that what is committed stays (fsync and its like). Production refuses to start,
 * development warns. Production also warns of a superuser. While PostgreSQL is down the check waits
 * for the readiness probe.
 */
async function checkSettings(
  database: Database,
  broker: ServiceBroker,
  logger: { warn(message: string): void },
): Promise<void> {
  if (checked.has(broker)) return;
  const { production } = nodeContextOf(broker).config;
  const { lies, advice } = await durabilityProblems(database);
  const problems = [...(await missingSettings(database)), ...lies];
  if (problems.length > 0 && production) throw new ConfigError(problems);
  const superuser = production ? await superuserOf(database) : undefined;
  if (superuser !== undefined)
    problems.push(
      `the engine's role ${superuser} is a superuser of PostgreSQL; give it a role of its own ` +
        "(docs/operations.md, Roles of PostgreSQL)",
    );
  problems.push(...advice);
  checked.add(broker);
  for (const problem of problems) logger.warn(problem);
}

/**
 * Gives a service a PostgreSQL pool of each profile. The node is then ready only if PostgreSQL
 * answers and takes writes, and its sessions have their limits.
 */
export function DatabaseMixin(options: { profiles: readonly Profile[] }): Partial<ServiceSchema> {
  // The readiness check needs a pool whose queries fail fast.
  const profiles = new Set<Profile>(["sale", ...options.profiles]);
  return defineMixin<{
    databases: Partial<Record<Profile, Database>>;
    /** Of the service that looks after the node's server. */
    endTroubles: (() => void) | undefined;
  }>({
    created() {
      this.databases = {};
      for (const profile of profiles)
        this.databases[profile] = databasePools[profile].acquire(this.broker);
      const { sale } = this.databases;
      const context = nodeContextOf(this.broker);
      if (sale === undefined || context.postgresState !== undefined) return;
      const url = serverUrlOf(this.broker, "databaseUrl");
      const look = createServerLook(sale, url);
      context.postgresState = look;
      context.postgresDamages = () => damagesOf(url);
      context.postgresSlowness = () => ({ timeouts: timeoutsOf(url), isSlow: isSlow(url) });
      this.endTroubles = logTroubles(url, this.logger);
      watchConnection(this.broker, "postgres", async () => (await look()) !== "away");
      context.checks.database = async () => {
        const state = await look();
        if (state === "away") return false;
        await checkSettings(sale, this.broker, this.logger);
        return state === "writable" || state;
      };
    },
    async started() {
      const { sale } = this.databases;
      if (sale === undefined) return;
      await checkSettings(sale, this.broker, this.logger).catch((error: unknown) => {
        if (error instanceof Error && isUntrusted(error))
          throw new ConfigError([`PostgreSQL refuses TLS: ${reasonOf(error)}`]);
        if (!isUnavailable(error)) throw error;
      });
    },
    async stopped() {
      this.endTroubles?.();
      for (const profile of profiles) await databasePools[profile].release(this.broker);
    },
  });
}
