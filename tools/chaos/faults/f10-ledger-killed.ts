import { connect } from "amqplib";
import { TRANSACTION_QUEUE } from "../../../lib/queue/topology.ts";
import { openDatabase } from "../../../lib/database/pool.ts";
import { pick, randomId } from "../../testing/seeded-random.ts";
import { Customer } from "../load/customer.ts";
import type { Fault, FaultContext } from "../fault.ts";
import { readBacklog } from "../wait-until-quiet.ts";
import type { TcpProxy } from "../network/tcp-proxy.ts";

const REPETITIONS = 300;
let acknowledgements: TcpProxy | undefined;

async function bookedRows({ world, events }: FaultContext): Promise<number> {
  const text =
    "SELECT count(*)::integer AS rows FROM capacity_ledger WHERE event_id = ANY ($1::uuid[])";
  return (await world.database.query<{ rows: number }>({ text, values: [events] }))[0]?.rows ?? 0;
}

/**
 * Publishes messages about every purchase and cancellation again, in random order and several
 * times.
 */
async function repeatMessages({ world, events, random, market }: FaultContext): Promise<void> {
  const model = await connect(world.urls.AMQP_URL, { timeout: 2_000 });
  const channel = await model.createConfirmChannel();
  const commands = market.journal.entries.filter(({ op }) => op === "buy" || op === "cancel");
  for (let count = 0; count < REPETITIONS; count += 1) {
    const { event = pick(events, random) } = pick(commands, random);
    const message = { eventId: event };
    channel.sendToQueue(TRANSACTION_QUEUE, Buffer.from(JSON.stringify(message)), {
      persistent: true,
    });
  }
  await channel.waitForConfirms();
  await model.close();
}

/**
 * Kills the only ledger while PostgreSQL keeps it from booking, then starts it again. `meanwhile`
 * runs while the queue has no consumer.
 */
async function killedBeforeItsCommit(
  context: FaultContext,
  meanwhile: (ready: () => Promise<number>) => Promise<unknown>,
): Promise<void> {
  const { world, cluster, random, market, until } = context;
  const ledger = cluster.node("ledger-1");
  const event = await context.putOnSale(5);
  const database = openDatabase(world.urls.DATABASE_URL, "long");
  const model = await connect(world.urls.AMQP_URL, { timeout: 2_000 });
  const channel = await model.createChannel();
  try {
    await database.transaction(async (connection) => {
      await connection.query({ text: "SET LOCAL idle_in_transaction_session_timeout = 0" });
      await connection.query({
        text: "SELECT 1 FROM event WHERE id = $1 FOR NO KEY UPDATE",
        values: [event],
      });
      await new Customer(market, randomId(random), random).buy(event, 1, randomId(random));
      const waiting =
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' " +
        "AND query LIKE '%ORDER BY id FOR NO KEY UPDATE%'";
      await until(
        "the ledger waits to book",
        async () => (await world.database.query({ text: waiting })).length > 0,
        10,
      );
      ledger.kill("SIGKILL");
      await ledger.ended();
    });
    await meanwhile(async () => (await channel.checkQueue(TRANSACTION_QUEUE)).messageCount);
    // The message is lost. Only the row itself tells that something must be booked.
    await channel.purgeQueue(TRANSACTION_QUEUE);
  } finally {
    await model.close();
    await database.close();
  }
}

/**
 * Unbooked messages are still in the queue. What the queue loses, the outbox sweeper recovers.
 * Needs `ledger-1` alone.
 */
export async function messageLost(
  context: FaultContext,
  environment: Record<string, string> = {},
): Promise<void> {
  const { world, events, load, until, expect, cluster } = context;
  await load.pause(true);
  await until(
    "nothing waits",
    async () => Object.values(await readBacklog(world, events)).every((count) => count === 0),
    30,
  );
  await killedBeforeItsCommit(context, (ready) =>
    until("the message is back", async () => (await ready()) > 0, 5).catch(() =>
      expect(false, "RabbitMQ no longer had the message of an unbooked row"),
    ),
  );
  await cluster.node("ledger-1").start(environment);
  await load.pause(false);
}

/** The ledger dies after it has booked and before it has acknowledged. RabbitMQ delivers again. */
export const fault: Fault = {
  id: "F10",
  title: "kill -9 the ledger between commit and ack; repeated, reordered messages",
  async prepare({ cluster, proxyTo, restartWith }) {
    acknowledgements = await proxyTo("rabbitmq");
    await cluster.node("ledger-2").stop();
    await restartWith("ledger-1", { AMQP_URL: acknowledgements.url });
  },
  async run(context) {
    const { cluster, phase, until, forSeconds, mark } = context;
    const ledger = cluster.node("ledger-1");
    await until("the ledger books", async () => (await bookedRows(context)) > 0, 10);
    for (let round = 1; round <= 3; round += 1) {
      await phase(`round ${round}: booked, not acknowledged, killed`, async () => {
        acknowledgements?.hold("requests", true);
        const before = await bookedRows(context);
        await until(
          "a commit that RabbitMQ does not hear of",
          async () => (await bookedRows(context)) > before,
          10,
        );
        ledger.kill("SIGKILL");
        await ledger.ended();
        acknowledgements?.hold("requests", false);
      });
      await phase("repeated and reordered messages", () => repeatMessages(context));
      await ledger.start({ AMQP_URL: acknowledgements?.url ?? "" });
    }
    await phase("killed before its commit, and its message lost", () =>
      messageLost(context, { AMQP_URL: acknowledgements?.url ?? "" }),
    );
    mark();
    await forSeconds(2);
  },
};
