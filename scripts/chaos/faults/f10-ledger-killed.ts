import { connect } from "amqplib";
import { TRANSACTION_QUEUE } from "../../../mixins/queue-topology.ts";
import { pick } from "../../random.ts";
import type { Fault, FaultContext } from "../fault.ts";
import type { TcpProxy } from "../tcp-proxy.ts";

const REPETITIONS = 300;
let acknowledgements: TcpProxy | undefined;

async function bookedRows({ world, events }: FaultContext): Promise<number> {
  const text = "SELECT count(*)::integer AS rows FROM capacity_ledger WHERE event_id = ANY ($1::uuid[])";
  return (await world.database.query<{ rows: number }>({ text, values: [events] }))[0]?.rows ?? 0;
}

/** Messages about everything that was ever bought or cancelled, in any order: cancellations before their purchase, and each several times. */
async function repeatMessages({ world, events, random, market }: FaultContext): Promise<void> {
  const model = await connect(world.urls.AMQP_URL, { timeout: 2_000 });
  const channel = await model.createConfirmChannel();
  const commands = market.journal.entries.filter(({ op }) => op === "buy" || op === "cancel");
  for (let count = 0; count < REPETITIONS; count += 1) {
    const { event = pick(events, random), transaction } = pick(commands, random);
    const message = { eventId: event, transactionIds: [transaction] };
    channel.sendToQueue(TRANSACTION_QUEUE, Buffer.from(JSON.stringify(message)), { persistent: true });
  }
  await channel.waitForConfirms();
  await model.close();
}

/** The ledger dies after it has booked and before RabbitMQ knows; what it had is delivered again, and much besides. */
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
        await until("a commit that RabbitMQ does not hear of", async () => (await bookedRows(context)) > before, 10);
        ledger.kill("SIGKILL");
        await ledger.ended();
        acknowledgements?.hold("requests", false);
      });
      await phase("repeated and reordered messages", () => repeatMessages(context));
      await ledger.start({ AMQP_URL: acknowledgements?.url ?? "" });
    }
    mark();
    await forSeconds(2);
  },
};
