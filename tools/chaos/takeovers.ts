import { setTimeout as delay } from "node:timers/promises";
import { randomId } from "../testing/seeded-random.ts";
import { type At, buyAt, cancelAt, insisted } from "./network/bus-client.ts";
import type { FaultContext } from "./fault.ts";

/** Below the second after which idle transactions end and lock waits are given up. */
const HELD_MS = 600;

/** Creates an event without load and runs work with its owner, another node and new customers. */
async function between(
  context: FaultContext,
  places: number,
): Promise<{ owner: () => At; other: () => At }> {
  const event = await context.putOnSale(places);
  const node = context.namedOwnerOf(event);
  const rival = context.cluster.of("purchasing").find(({ name }) => name !== node)?.name ?? node;
  const at = (which: string) => (): At => ({ node: which, event, user: randomId(context.random) });
  return { owner: at(node), other: at(rival) };
}

/** The other node sells the rest while the owner still believes that it owns the event. */
async function soldByTheOther(context: FaultContext): Promise<void> {
  const { owner, other } = await between(context, 4);
  const key = (): string => randomId(context.random);
  for (const at of [owner(), other(), owner()]) {
    const bought = key();
    await insisted(() => buyAt(context, at, 2, bought));
  }
}

/** Sold out at its owner; the other node frees a place. */
async function freedByTheOther(context: FaultContext): Promise<void> {
  const { owner, other } = await between(context, 2);
  const buyer = owner();
  const [first, second, third] = [
    randomId(context.random),
    randomId(context.random),
    randomId(context.random),
  ];
  const { tickets } = await insisted(() => buyAt(context, buyer, 2, first));
  const late = owner();
  const refused = await insisted(() => buyAt(context, late, 1, second));
  context.expect(
    refused.code === "EVENT_SOLD_OUT",
    `a purchase of a sold-out event was answered ${refused.code ?? refused.outcome}`,
  );
  await insisted(() => cancelAt(context, { ...buyer, node: other().node }, tickets[0] ?? ""));
  const { outcome, code } = await insisted(() => buyAt(context, late, 1, third));
  context.expect(
    outcome === "ok",
    `a place freed by another node was not sold: ${code ?? outcome}`,
  );
}

/** A customer at the limit buys at the node that has not seen the earlier purchases. */
async function limitReachedElsewhere(context: FaultContext): Promise<void> {
  const { owner, other } = await between(context, 30);
  const buyer = owner();
  const keys = [randomId(context.random), randomId(context.random)];
  await insisted(() =>
    buyAt(context, buyer, context.world.config.ticketsPerCustomerMax, keys[0] ?? ""),
  );
  await insisted(() => buyAt(context, { ...buyer, node: other().node }, 1, keys[1] ?? ""));
}

/** Buys at one node and cancels at the other. */
async function cancelledElsewhere(context: FaultContext): Promise<void> {
  const { owner, other } = await between(context, 5);
  const buyer = owner();
  const key = randomId(context.random);
  const { tickets } = await insisted(() => buyAt(context, buyer, 1, key));
  await insisted(() => cancelAt(context, { ...buyer, node: other().node }, tickets[0] ?? ""));
}

/** Sends the same key to both nodes. */
async function repeatedElsewhere(context: FaultContext): Promise<void> {
  const { owner, other } = await between(context, 10);
  const buyer = owner();
  const key = randomId(context.random);
  await insisted(() => buyAt(context, buyer, 2, key));
  await insisted(() => buyAt(context, { ...buyer, node: other().node }, 2, key));
}

/** Two nodes take events from each other, in the ways in which a stale worker would be wrong. */
export async function takeovers(context: FaultContext): Promise<void> {
  const scenes = [
    soldByTheOther,
    freedByTheOther,
    limitReachedElsewhere,
    cancelledElsewhere,
    repeatedElsewhere,
  ];
  await Promise.all(scenes.map((scene) => scene(context)));
}

/**
 * Holds the owner's statement between the fence and the sale: another session has an uncommitted
 * row of the same sale. Meanwhile the other node takes the epoch and sells the rest. Returns
 * whether the statement was seen waiting.
 */
export async function heldOpen(context: FaultContext): Promise<boolean> {
  const { world, random } = context;
  const { owner, other } = await between(context, 3);
  const waits = async (query: string): Promise<boolean> => {
    const text =
      "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' " +
      "AND query LIKE $1 AND pid <> pg_backend_pid()";
    return (await world.database.query({ text, values: [query] })).length > 0;
  };
  const [buyer, rival] = [owner(), other()];
  const [first, key, rivals] = [randomId(random), randomId(random), randomId(random)];
  await insisted(() => buyAt(context, owner(), 1, first));
  let seen = false;
  let settled = false;
  const asked: Promise<unknown>[] = [];
  await world.database.withConnection(async (connection) => {
    await connection.query({ text: "BEGIN" });
    try {
      await connection.query({
        text: `INSERT INTO event_tickets
            (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at)
          VALUES (gen_random_uuid(), $1, $2, '2099-01-01', decode($3, 'hex'), 1, now())`,
        values: [buyer.event, buyer.user, world.purchaseId(buyer.user, buyer.event, key)],
      });
      asked.push(buyAt(context, buyer, 2, key));
      const untilMs = performance.now() + HELD_MS;
      while (performance.now() < untilMs && !(seen = await waits("%event_tickets%")))
        await delay(10);
      asked.push(buyAt(context, rival, 2, rivals).finally(() => (settled = true)));
      while (
        performance.now() < untilMs &&
        !settled &&
        !(await waits("%INSERT INTO event_worker%"))
      )
        await delay(10);
    } finally {
      await connection.query({ text: "ROLLBACK" }).catch(() => undefined);
    }
  });
  await Promise.all(asked);
  return seen;
}
