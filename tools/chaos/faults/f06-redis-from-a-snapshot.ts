import { chownSync, copyFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { randomId } from "../../testing/seeded-random.ts";
import { type At, buyAt, insisted } from "../network/bus-client.ts";
import type { Fault } from "../fault.ts";
import { withRedis } from "../network/patient-redis.ts";

/** Exceeds every lease. Redis will not know the sales of this time. */
const OLD_S = 20;
/** Nodes check for a lost Redis at least once a second. */
const RECONNECTED_S = 2;

/**
 * Kills Redis and restarts it from an old snapshot: old availability, old copies, released leases.
 * A worker that starts for an event sold out since then must not sell, whatever Redis contains.
 */
export function redisFromSnapshot(oldSeconds: number): Fault {
  return {
    id: "F6",
    title: `kill -9 Redis, restart from a snapshot ${oldSeconds} s old`,
    async run(context) {
      const { servers, world, cluster, random, load, phase, forSeconds, until, mark, expect } =
        context;
      const redis = servers.server("redis");
      const dump = join(servers.folder, "redis", "data", "dump.rdb");
      const event = await context.putOnSale(8);
      const owner = context.namedOwnerOf(event);
      const other = cluster.of("purchasing").find(({ name }) => name !== owner)?.name ?? owner;
      const buys = async (node: string, quantity: number) => {
        const at: At = { node, event, user: randomId(random) };
        const key = randomId(random);
        return insisted(() => buyAt(context, at, quantity, key));
      };
      await buys(owner, 2);
      await phase("a snapshot is taken, and then much is sold", async () => {
        await withRedis(world.urls.REDIS_URL, (client) => client.save());
        copyFileSync(dump, `${dump}.old`);
        expect(
          (await buys(owner, 6)).outcome === "ok",
          "the rest of an event was not sold before Redis died",
        );
        await forSeconds(oldSeconds);
      });
      const comesBackOld = async (): Promise<void> => {
        redis.kill("SIGKILL");
        await until("Redis is gone", () => redis.pid === undefined, 5);
        const { uid, gid } = statSync(dump);
        copyFileSync(`${dump}.old`, dump);
        chownSync(dump, uid, gid);
        await redis.restart();
      };
      await phase("Redis is killed and comes back with it", comesBackOld);
      mark();
      await phase("it serves again", () => forSeconds(5));
      const { code } = await phase(
        "once more, and a worker starts under the old copies",
        async () => {
          // Searches would correct the copies in Redis.
          await load.pause(true);
          await comesBackOld();
          await forSeconds(RECONNECTED_S);
          return buys(other, 2).finally(() => load.pause(false));
        },
      );
      expect(
        code === "EVENT_SOLD_OUT",
        `a purchase of an event sold out before Redis died was answered ${code ?? "ok"}`,
      );
    },
    bounds: ({ by }) =>
      by.buy.percent >= 99
        ? []
        : [`${by.buy.percent.toFixed(2)} % of purchases were answered 201 or 409 instead of 99`],
  };
}

export const fault = redisFromSnapshot(OLD_S);
