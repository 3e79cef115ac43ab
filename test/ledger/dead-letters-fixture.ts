import assert from "node:assert/strict";
import type { DeadLetter } from "../../lib/queue/dead-letters.ts";
import { inspectTopology } from "../../lib/queue/topology.ts";
import type { Ledger, LedgerWorld } from "../support/fixtures/ledger-fixture.ts";
import { waitFor } from "../support/wait-for.ts";

type Listed = { waiting: number; letters: DeadLetter[] };

/** The numbers of an event of 10 places after `brokenEvent`'s sales are booked. */
export const BOOKED = { capacity: 5, pending: 0, failed: 0, booked: -5, bookedRows: 2 };

export const messageFor = (eventId: string): string =>
  JSON.stringify({ eventId, transactionIds: [] });

export async function startConsumingLedger(world: LedgerWorld): Promise<Ledger> {
  const ledger = await world.startLedger();
  await waitFor(async () => (await ledger.status()).queue.consumers === 1);
  return ledger;
}

/** Makes dead letters and failed rows, and calls the ledger's repair actions. */
export function deadLetterTools(current: () => { world: LedgerWorld; ledger: Ledger }) {
  const value = async <T>(action: string, params: object = {}): Promise<T> => {
    const answer = await current().ledger.ask<T>(action, params);
    return answer.ok ? answer.value : assert.fail(answer.refusal.code);
  };
  const list = (params: object = {}): Promise<Listed> => value("deadLetters", params);
  const queueCounts = () => inspectTopology(current().world.channel, current().world.topology);
  const dead = async (): Promise<number> => (await queueCounts()).dead;
  const send = (content: string | Buffer, queue = current().world.topology.queue): boolean =>
    current().world.channel.sendToQueue(queue, Buffer.from(content), { persistent: true });
  /** Puts messages into the dead queue directly, without waiting for the delivery limit. */
  const bury = async (...contents: (string | Buffer)[]): Promise<void> => {
    const expected = (await dead()) + contents.length;
    for (const content of contents) send(content, current().world.topology.deadQueue);
    await waitFor(async () => (await dead()) === expected);
  };
  const setCapacity = (eventId: string, capacity: number): Promise<unknown> =>
    current().world.database.query({
      text: "UPDATE event SET capacity = $2 WHERE id = $1",
      values: [eventId, capacity],
    });
  /**
   * Lowers the capacity below what is sold, so that the sales cannot be booked.
   * Their message becomes a dead letter and their rows are marked failed.
   */
  const brokenEvent = async (): Promise<string> => {
    const { world } = current();
    const eventId = await world.addEvent(10);
    await world.sell(eventId, [3, 2]);
    await setCapacity(eventId, 4);
    const earlier = await dead();
    world.tell(eventId, []);
    await waitFor(async () => (await dead()) === earlier + 1);
    assert.equal((await world.numbers(eventId)).failed, 2);
    return eventId;
  };
  const mend = (eventId: string): Promise<unknown> => setCapacity(eventId, 10);
  return { value, list, queueCounts, dead, send, bury, setCapacity, brokenEvent, mend };
}
