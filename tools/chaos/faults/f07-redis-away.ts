import type { Fault } from "../fault.ts";
import { withRedis } from "../network/patient-redis.ts";

const AWAY_S = 60;
const FROZEN_S = 5;
const ANSWER_WITHIN_MS = 2_000;

/** Redis loses its data, is down for a minute, then freezes. Purchases continue from PostgreSQL. */
export const fault: Fault = {
  id: "F7",
  title: `Redis: FLUSHALL; down for ${AWAY_S} s; SIGSTOP for ${FROZEN_S} s`,
  async run({ servers, world, phase, forSeconds, until, mark }) {
    const redis = servers.server("redis");
    await phase("FLUSHALL", async () => {
      await withRedis(world.urls.REDIS_URL, (client) => client.flushall());
      await forSeconds(2);
    });
    await phase("down", async () => {
      redis.kill("SIGKILL");
      await until("Redis is gone", () => redis.pid === undefined, 5);
      await forSeconds(AWAY_S);
    });
    await phase("back", async () => {
      await redis.restart();
      await forSeconds(3);
    });
    await phase("frozen", async () => {
      redis.kill("SIGSTOP");
      await forSeconds(FROZEN_S);
      redis.kill("SIGCONT");
    });
    mark();
    await forSeconds(3);
  },
  bounds: ({ by, slowestMs }) => [
    ...(by.buy.percent >= 99
      ? []
      : [`${by.buy.percent.toFixed(2)} % of the purchases were answered 201 or 409 instead of 99`]),
    ...(slowestMs <= ANSWER_WITHIN_MS
      ? []
      : [`an answer took ${Math.round(slowestMs)} ms instead of ${ANSWER_WITHIN_MS}`]),
  ],
};
