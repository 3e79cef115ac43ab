import { setTimeout as delay } from "node:timers/promises";
import { openRedis } from "../../../mixins/redis.ts";
import { randomId, seededRandom } from "../../random.ts";
import { buyAt } from "../by-bus.ts";
import { Customer } from "../customer.ts";
import type { Fault, FaultContext } from "../fault.ts";

const TOGETHER_MS = 6_000;
/** They go on until nothing is left: only then two who do not know of each other have sold too much. */
const SOLD_OUT_WITHIN_MS = 40_000;
const LOOPS_PER_NODE = 3;
const HELD_TIMES = 4;
/** Below the second after which idle transactions are ended and locks are no longer waited for. */
const HELD_MS = 600;

/** The lease is taken away again and again, and both nodes must serve commands of the event: what they sell together is up to the epoch alone. */
async function twoAtOnce(context: FaultContext): Promise<void> {
  const { world, cluster, hot, random } = context;
  const redis = openRedis(world.urls.REDIS_URL, () => undefined);
  const beganMs = performance.now();
  const soldOutAt = new Set<string>();
  const goesOn = (): boolean => {
    const ms = performance.now() - beganMs;
    return ms < TOGETHER_MS || (soldOutAt.size < cluster.of("purchasing").length && ms < SOLD_OUT_WITHIN_MS);
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
        const { code } = await buyAt(context, name, randomId(own), 1 + Math.floor(own() * 2), randomId(own));
        if (code === "EVENT_SOLD_OUT") soldOutAt.add(name);
      }
    }),
  );
  await Promise.all([robber(), ...buyers]);
  redis.disconnect();
}

/** How often the event changes hands in a while. */
async function epochsIn(context: FaultContext, ms: number): Promise<number> {
  const epochs = new Set<number>();
  const endMs = performance.now() + ms;
  while (performance.now() < endMs) {
    const text = "SELECT epoch::float8 AS epoch FROM event_worker WHERE event_id = $1";
    for (const { epoch } of await context.world.database.query<{ epoch: number }>({ text, values: [context.hot] })) epochs.add(epoch);
    await delay(50);
  }
  return epochs.size;
}

/**
 * The owner's statement stops in its middle, after the fence and before the sale: another session has put a row of the same sale in its way and does
 * not commit. Meanwhile the other node takes the epoch. Answers how many statements were seen to wait.
 */
async function heldOpen(context: FaultContext): Promise<number> {
  const { world, hot, market, random, ownerOf, cluster } = context;
  const [user, key] = [randomId(random), randomId(random)];
  const waits = async (query: string): Promise<boolean> => {
    const text = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1 AND pid <> pg_backend_pid()";
    return (await world.database.query({ text, values: [query] })).length > 0;
  };
  const owner = await ownerOf(hot);
  const other = cluster.of("purchasing").find(({ name }) => name !== owner)?.name ?? owner;
  let seen = 0;
  const asked: Promise<unknown>[] = [];
  await world.database.withConnection(async (connection) => {
    await connection.query({ text: "BEGIN" });
    try {
      await connection.query({
        text: `INSERT INTO event_tickets (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at)
          VALUES (gen_random_uuid(), $1, $2, '2099-01-01', decode($3, 'hex'), 1, now())`,
        values: [hot, user, market.purchaseId(user, hot, key)],
      });
      asked.push(new Customer(market, user, random).buy(hot, 1, key));
      const untilMs = performance.now() + HELD_MS;
      while (performance.now() < untilMs && !(await waits("%event_tickets%"))) await delay(10);
      seen += (await waits("%event_tickets%")) ? 1 : 0;
      asked.push(buyAt(context, other, randomId(random), 1, randomId(random)));
      while (performance.now() < untilMs && !(await waits("%INSERT INTO event_worker%"))) await delay(10);
    } finally {
      await connection.query({ text: "ROLLBACK" }).catch(() => undefined);
    }
  });
  await Promise.all(asked);
  return seen;
}

/** Two workers on one event on purpose. */
export const fault: Fault = {
  id: "F5",
  title: "two workers on one event, the lease forced open, a statement held open",
  hotCapacity: 1_200,
  async run(context) {
    const { phase, mark, expect, note } = context;
    let held = 0;
    await phase("a statement is held open while the other takes the epoch", async () => {
      for (let time = 0; time < HELD_TIMES; time += 1) held += await heldOpen(context);
    });
    await phase("both nodes sell the hot event", () => twoAtOnce(context));
    mark();
    const epochs = await phase("it settles", async () => {
      await context.forSeconds(1);
      return epochsIn(context, 2_000);
    });
    expect(epochs <= 2, `the event changed hands ${epochs - 1} times in 2 s after it had been left in peace`);
    expect(held > 0, "no statement was seen to wait in its middle");
    note(`${held} statements held open`);
  },
};
