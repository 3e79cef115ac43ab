import { connect } from "amqplib";
import { TRANSACTION_QUEUE } from "../../../lib/queue/topology.ts";
import { randomId } from "../../testing/seeded-random.ts";
import { Customer } from "../load/customer.ts";
import type { Fault, FaultContext } from "../fault.ts";

type Letter = { id: string; readable: boolean };
const DEAD_WITHIN_S = 60;
/** More batches than the event commits during the fault. */
const BATCHES_AHEAD = 500;
/** The sweeper reads rows that are older than 5 s. */
const FLOWS_WITHIN_S = 8;

async function asOperator<T>(
  { world }: FaultContext,
  action: string,
  params: object = {},
): Promise<T> {
  const answer = await (
    await world.bus()
  ).call<{ ok: boolean; value: T; refusal?: { code: string } }, object>(action, params);
  if (!answer.ok) throw new Error(`${action} was refused: ${answer.refusal?.code ?? ""}`);
  return answer.value;
}

async function sendPoison({ world }: FaultContext): Promise<void> {
  const model = await connect(world.urls.AMQP_URL, { timeout: 2_000 });
  const channel = await model.createConfirmChannel();
  channel.sendToQueue(TRANSACTION_QUEUE, Buffer.from("no message of ours"), { persistent: true });
  await channel.waitForConfirms();
  await model.close();
}

/** Seconds that the oldest row of all other events has waited for booking. */
async function lagBeside({ world, events }: FaultContext, broken: string): Promise<number> {
  const text = `
    SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS lag
    FROM event_ticket_transactions WHERE event_id = ANY ($1::uuid[]) AND event_id <> $2`;
  return (
    (await world.database.query<{ lag: number }>({ text, values: [events, broken] }))[0]?.lag ?? 0
  );
}

/**
 * Publishes a message that cannot be parsed, and one whose event cannot be booked: the
 * ledger already has rows of its next batches. Both become dead letters after
 * their deliveries; the others flow. After the repair of the event, a replay books it.
 */
export const fault: Fault = {
  id: "F11",
  title: "poison: a message that cannot be read, an event that cannot be booked",
  async run(context) {
    const { world, events, random, market, phase, until, mark, expect, note } = context;
    const broken = events.at(-1) ?? "";
    const user = randomId(random);
    const customer = new Customer(market, user, random);
    const [ticket = ""] = (await customer.buy(broken, 1, randomId(random))).tickets;
    const plant = `
      INSERT INTO capacity_ledger
        (transaction_id, event_id, quantity, transactions, applied_at, epoch, batch)
      SELECT '\\x', event_id, 0, 0, now(), epoch, batch + ahead
      FROM event_worker, generate_series(1, ${BATCHES_AHEAD}) AS ahead WHERE event_id = $1`;
    let letters: Letter[] = [];
    let slowest = 0;
    await phase("two poisoned messages", async () => {
      await world.database.query({ text: plant, values: [broken] });
      await sendPoison(context);
      await customer.cancel(broken, ticket);
      const bothDead = async (): Promise<boolean> => {
        slowest = Math.max(slowest, await lagBeside(context, broken));
        ({ letters } = await asOperator<{ letters: Letter[] }>(context, "ledger.deadLetters", {
          limit: 100,
        }));
        return (
          letters.some(({ readable }) => readable) && letters.some(({ readable }) => !readable)
        );
      };
      await until("both are put aside", bothDead, DEAD_WITHIN_S);
    });
    expect(
      slowest <= FLOWS_WITHIN_S,
      `another event's row waited ${slowest.toFixed(1)} s to be booked`,
    );
    const status = await asOperator<{ failedRows: number; queue: { dead?: number } }>(
      context,
      "ledger.status",
    );
    expect(
      status.failedRows > 0 && (status.queue.dead ?? 0) > 0,
      "the ledger's status lacks failed rows and dead letters",
    );
    note(`dead letters: ${status.queue.dead ?? 0}, failed rows: ${status.failedRows}`);

    mark();
    await phase("repaired, replayed, discarded", async () => {
      // The ledger's table forbids deletion. An operator would switch its trigger off like this.
      await world.database.transaction(async (connection) => {
        await connection.query({ text: "SET LOCAL session_replication_role = 'replica'" });
        await connection.query({
          text: "DELETE FROM capacity_ledger WHERE event_id = $1 AND transactions = 0",
          values: [broken],
        });
      });
      await asOperator(context, "ledger.retryFailed", { eventId: broken });
      const ended = async (): Promise<boolean> => {
        const { letters: left } = await asOperator<{ letters: Letter[] }>(
          context,
          "ledger.deadLetters",
          { limit: 100 },
        );
        for (const { id, readable } of left)
          await asOperator(context, readable ? "ledger.replay" : "ledger.discard", { id });
        return left.length === 0;
      };
      await until("no dead letter is left", ended, 20);
    });
  },
};
