import { randomId } from "../../testing/seeded-random.ts";
import { Customer } from "../load/customer.ts";
import type { Fault, FaultContext } from "../fault.ts";
import { openTcpProxy, type TcpProxy } from "../network/tcp-proxy.ts";

const BUYERS = 10;
const ROUNDS = 3;
const STARTS_IN_MS = 4_000;
const SENT_BEFORE_MS = 1_200;
let postgres: TcpProxy | undefined;

/** Loses every answer of a gateway. Customers repeat the same keys at the other gateway. */
async function answersLost(context: FaultContext): Promise<number> {
  const { world, cluster, hot, market, random, until, expect } = context;
  const gateway = cluster.node("api-1");
  const proxy = await openTcpProxy(gateway.url ?? "");
  const lossy = {
    ...market.balancer,
    send: async (ask: Parameters<typeof world.sender.send>[1]) => ({
      reply: await world.sender.send(proxy.url.replace(/\/$/, ""), ask),
      via: gateway.name,
    }),
  };
  const purchases = Array.from({ length: BUYERS }, () => ({
    user: randomId(random),
    key: randomId(random),
  })).map((one) => ({
    op: "buy" as const,
    event: hot,
    quantity: 2,
    transaction: market.purchaseId(one.user, hot, one.key),
    ...one,
  }));
  const sold = async (): Promise<number> => {
    const text =
      "SELECT count(DISTINCT transaction_id)::integer AS sold FROM event_tickets " +
      "WHERE transaction_id = ANY ($1::bytea[])";
    const values = [`{${purchases.map(({ transaction }) => `"\\\\x${transaction}"`).join()}}`];
    return (await world.database.query<{ sold: number }>({ text, values }))[0]?.sold ?? 0;
  };
  try {
    proxy.hold("answers", true);
    const asked = purchases.map((one) =>
      new Customer({ ...market, balancer: lossy }, one.user, random).once(one, {
        "Idempotency-Key": one.key,
      }),
    );
    await until("everything is sold", async () => (await sold()) >= BUYERS - 1, 5).catch(
      () => undefined,
    );
    proxy.cut();
    const first = await Promise.all(asked);
    expect(
      first.every(({ outcome }) => outcome === "unknown"),
      "an answer that should be lost arrived",
    );
    const again = await Promise.all(
      purchases.map((one) =>
        new Customer(market, one.user, random).once(
          one,
          { "Idempotency-Key": one.key },
          gateway.name,
        ),
      ),
    );
    return again.filter(({ outcome }) => outcome === "ok").length;
  } finally {
    await proxy.close();
  }
}

/** Cuts the worker's connection after the commit and before the answer. */
async function commitLostEarly({ until }: FaultContext): Promise<void> {
  postgres?.holdFrom("worker-commit", "answers");
  await until("a commit is under way", () => postgres?.holds(), 5);
  postgres?.cut();
}

/**
 * Cuts the worker's connection while its statement is held. The statement arrives after the worker
 * has started again.
 */
async function commitArrivesLate({
  world,
  events,
  until,
  forSeconds,
}: FaultContext): Promise<void> {
  // The commit can be that of any event; that event gets a new epoch.
  const epochs = async (): Promise<number> => {
    const text =
      "SELECT coalesce(sum(epoch), 0)::float8 AS epochs FROM event_worker " +
      "WHERE event_id = ANY ($1::uuid[])";
    return (
      (await world.database.query<{ epochs: number }>({ text, values: [events] }))[0]?.epochs ?? 0
    );
  };
  const before = await epochs();
  postgres?.holdFrom("worker-commit", "requests");
  await until("a commit is under way", () => postgres?.holds(), 5);
  postgres?.orphan();
  await until("a new epoch", async () => (await epochs()) > before, 5);
  postgres?.hold("requests", false);
  await forSeconds(0.5);
}

/** Connects the hot event's owner to PostgreSQL through a proxy. */
export async function byProxy(context: FaultContext): Promise<void> {
  postgres = await context.proxyTo("postgres");
  await context.restartWith(context.namedOwnerOf(context.hot), { DATABASE_URL: postgres.url });
}

/**
 * Decides a cancellation before its event begins and commits it afterwards: no place is freed.
 * Needs `byProxy`.
 */
export async function cancelledTooLate(context: FaultContext): Promise<void> {
  const { world, market, random, load, until, expect, hot, namedOwnerOf, putOnSale } = context;
  await load.pause(true);
  const began = performance.now();
  let event: string;
  do event = await putOnSale(5, STARTS_IN_MS);
  while (namedOwnerOf(event) !== namedOwnerOf(hot));
  const customer = new Customer(market, randomId(random), random);
  const { tickets, outcome } = await customer.buy(event, 1, randomId(random));
  expect(outcome === "ok", "no purchase succeeded before the event began");
  await until(
    "a moment before it begins",
    () => performance.now() > began + STARTS_IN_MS - SENT_BEFORE_MS,
  );
  postgres?.holdFrom("worker-commit", "requests");
  const answer = customer.cancel(event, tickets[0] ?? "");
  const started = async (): Promise<boolean> =>
    (
      await world.database.query({
        text: "SELECT 1 FROM event WHERE id = $1 AND starts_at < clock_timestamp()",
        values: [event],
      })
    ).length > 0;
  await until("it has begun", started, 10);
  postgres?.hold("requests", false);
  const { code, outcome: after } = await answer;
  expect(code === "EVENT_OVER", `a cancellation that came too late was answered ${code ?? after}`);
  await load.pause(false);
}

/** A customer cannot tell a lost answer from a lost request. The key makes both one sale. */
export const fault: Fault = {
  id: "F15",
  title: "answers lost: the buyer's, and the commit's, early and late",
  prepare: byProxy,
  async run(context) {
    const { phase, forSeconds, note, expect, hot, ownerOf, namedOwnerOf, until, mark } = context;
    let repeated = 0;
    await phase("buyers lose their answers and repeat at the other gateway", async () => {
      for (let round = 0; round < ROUNDS; round += 1) repeated += await answersLost(context);
    });
    expect(repeated > 0, "no repetition was answered with its sale");
    await until(
      "the event is with its node",
      async () => (await ownerOf(hot)) === namedOwnerOf(hot),
      15,
    );
    await phase("the commit's answer is lost", async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        await commitLostEarly(context);
        await forSeconds(1);
      }
    });
    await phase("the commit arrives late", async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        await commitArrivesLate(context);
        await forSeconds(1);
      }
    });
    await phase("a cancellation arrives after its event has begun", () =>
      cancelledTooLate(context),
    );
    mark();
    note(`${repeated} of ${BUYERS * ROUNDS} repetitions answered with the first sale`);
  },
};
