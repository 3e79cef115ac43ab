import { chownSync, copyFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { openRedis, whenReady } from "../../../mixins/redis.ts";
import type { Fault } from "../fault.ts";

/** Far longer than leases live; everything that is sold in this time Redis will not know. */
const OLD_S = 20;

/** Redis dies and comes back with what it knew a while ago: old availabilities, old copies, leases given back long since. */
export const fault: Fault = {
  id: "F6",
  title: `kill -9 Redis, restart from a snapshot ${OLD_S} s old`,
  async run({ servers, world, phase, forSeconds, until, mark, expect }) {
    const redis = servers.server("redis");
    const dump = join(servers.folder, "redis", "data", "dump.rdb");
    await phase("a snapshot is taken, and then much is sold", async () => {
      const client = openRedis(world.urls.REDIS_URL, () => undefined);
      expect(await whenReady(client, 2_000), "Redis did not answer before the fault");
      await client.save();
      client.disconnect();
      copyFileSync(dump, `${dump}.old`);
      await forSeconds(OLD_S);
    });
    await phase("Redis is killed and comes back with it", async () => {
      redis.kill("SIGKILL");
      await until("Redis is gone", () => redis.pid === undefined, 5);
      const { uid, gid } = statSync(dump);
      copyFileSync(`${dump}.old`, dump);
      chownSync(dump, uid, gid);
      await redis.restart();
    });
    mark();
    await phase("it serves again", () => forSeconds(5));
  },
  bounds: ({ by }) =>
    by.buy.percent >= 99 ? [] : [`${by.buy.percent.toFixed(2)} % of the purchases were answered 201 or 409 instead of 99`],
};
