import { setTimeout as delay } from "node:timers/promises";
import { openRedis } from "../../../lib/redis/client.ts";
import { randomId, seededRandom } from "../../testing/seeded-random.ts";
import { buyAt } from "../network/bus-client.ts";
import type { Fault, FaultContext } from "../fault.ts";
import { heldOpen, takeovers } from "../takeovers.ts";

const TOGETHER_MS = 6_000;
/** Both workers sell until the event is sold out. Without a fence they would oversell. */
const SOLD_OUT_WITHIN_MS = 40_000;
const LOOPS_PER_NODE = 3;
const HELD_TIMES = 4;

/**
 * Deletes the lease again and again while both nodes serve commands of the event. Only the epoch
 * keeps the sales correct.
 */
async function twoAtOnce(context: FaultContext): Promise<void> {
  const { world, cluster, hot, random } = context;
  const redis = openRedis(world.urls.REDIS_URL, () => undefined);
  const beganMs = performance.now();
  const soldOutAt = new Set<string>();
  const goesOn = (): boolean => {
    const ms = performance.now() - beganMs;
    return (
      ms < TOGETHER_MS ||
      (soldOutAt.size < cluster.of("purchasing").length && ms < SOLD_OUT_WITHIN_MS)
    );
  };
  const robber = async (): Promise<void> => {
    while (goesOn()) {
      await redis.del(`lock:event:{${hot}}`).catch(() => undefined);
      await delay(50);
    }
  };
  const buyers = cluster.of("purchasing").flatMap(({ name }) =>
    Array.from({ length: LOOPS_PER_NODE }, async () => {
      const own = seededRandom(Math.floor(random() * 2 ** 31));
      while (goesOn()) {
        const { code } = await buyAt(
          context,
          { node: name, event: hot, user: randomId(own) },
          1 + Math.floor(own() * 2),
          randomId(own),
        );
        if (code === "EVENT_SOLD_OUT") soldOutAt.add(name);
      }
    }),
  );
  await Promise.all([robber(), ...buyers]);
  redis.disconnect();
}

/** Number of times the event changes owner within `ms`. */
async function epochsIn(context: FaultContext, ms: number): Promise<number> {
  const epochs = new Set<number>();
  const endMs = performance.now() + ms;
  while (performance.now() < endMs) {
    const text = "SELECT epoch::float8 AS epoch FROM event_worker WHERE event_id = $1";
    for (const { epoch } of await context.world.database.query<{ epoch: number }>({
      text,
      values: [context.hot],
    }))
      epochs.add(epoch);
    await delay(50);
  }
  return epochs.size;
}

/** Runs two workers on one event. */
export const fault: Fault = {
  id: "F5",
  title: "two workers on one event, the lease forced open, a statement held open",
  hotCapacity: 1_200,
  async run(context) {
    const { phase, mark, expect, note } = context;
    let held = 0;
    await phase("a statement is held open while the other takes the epoch", async () => {
      for (let time = 0; time < HELD_TIMES; time += 1) held += (await heldOpen(context)) ? 1 : 0;
    });
    await phase("the nodes take events from each other", () => takeovers(context));
    await phase("both nodes sell the hot event", () => twoAtOnce(context));
    mark();
    const epochs = await phase("it settles", async () => {
      await context.forSeconds(1);
      return epochsIn(context, 2_000);
    });
    expect(epochs <= 2, `the event changed its owner ${epochs - 1} times in 2 s after the fault`);
    expect(held > 0, "no statement was seen waiting for a lock");
    note(`${held} statements held open`);
  },
};
