import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { openConsumer, readMessage } from "../../lib/queue/index.ts";
import { inspectTopology } from "../../lib/queue/topology.ts";
import { createBooking } from "../../services/ledger/booking/transaction-consumer.ts";
import {
  type Ledger,
  type LedgerWorld,
  openLedgerWorld,
} from "../support/fixtures/ledger-fixture.ts";
import { openTcpProxy, type TcpProxy } from "../../tools/chaos/network/tcp-proxy.ts";
import { waitFor } from "../support/wait-for.ts";

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe("the ledger over faults", () => {
  let world: LedgerWorld;
  let ledger: Ledger | undefined;
  let proxy: TcpProxy | undefined;
  before(async () => {
    world = await openLedgerWorld();
  });
  afterEach(async () => {
    await ledger?.stop();
    await proxy?.close();
    ledger = proxy = undefined;
  });
  after(() => world.close());

  const dead = async (): Promise<number> =>
    (await inspectTopology(world.channel, world.topology)).dead;

  it("books a message once if its connection dies before the acknowledgement", async () => {
    const eventId = await world.addEvent(10);
    const rabbit = (proxy = await openTcpProxy(world.amqpUrl));
    const counts = { appliedRows: 0, failedRows: 0, outages: 0 };
    const { handle: real } = createBooking({ database: world.database, log: silent, counts });
    let deliveries = 0;
    const consumer = await openConsumer({
      read: readMessage,
      url: rabbit.url,
      log: silent,
      topology: world.topology,
      handler: async (batch, turn) => {
        deliveries += batch.length;
        const refused = await real(batch, turn);
        if (deliveries === 1) {
          rabbit.cut();
          await waitFor(() => !consumer.connected());
        }
        return refused;
      },
    });
    await waitFor(() => consumer.connected());
    const [sale] = await world.sell(eventId, [3]);
    world.tell(eventId, [sale?.transactionId ?? ""]);
    await waitFor(() => deliveries === 2);
    await consumer.close();
    assert.deepEqual(await world.numbers(eventId), {
      capacity: 7,
      pending: 0,
      failed: 0,
      booked: -3,
      bookedRows: 1,
    });
    assert.equal(counts.appliedRows, 1);
    assert.equal((await inspectTopology(world.channel, world.topology)).ready, 0);
  });

  it("pauses while PostgreSQL is down, counts no delivery, and resumes by itself", async () => {
    const eventId = await world.addEvent(10);
    const postgres = (proxy = await openTcpProxy(world.databaseUrl));
    ledger = await world.startLedger({ databaseUrl: postgres.url });
    const first = ledger;
    await waitFor(async () => (await first.status()).queue.consumers === 1);
    postgres.away(true);
    const [sale] = await world.sell(eventId, [3]);
    world.tell(eventId, [sale?.transactionId ?? ""]);
    await waitFor(async () => (await inspectTopology(world.channel, world.topology)).ready === 0);
    await waitFor(async () => {
      world.tell(eventId, []);
      return (await inspectTopology(world.channel, world.topology)).ready >= 10;
    });
    assert.equal((await world.numbers(eventId)).pending, 1);
    postgres.away(false);
    await waitFor(async () => (await world.numbers(eventId)).pending === 0, { withinMs: 10_000 });
    await waitFor(async () => (await inspectTopology(world.channel, world.topology)).ready === 0);
    const status = await first.status();
    assert.equal(status.outages, 1);
    assert.equal(status.paused, false);
    assert.equal(await dead(), 0);
    assert.equal((await world.numbers(eventId)).capacity, 7);
  });

  it("survives its PostgreSQL connections being killed again and again", async () => {
    const eventId = await world.addEvent(200);
    ledger = await world.startLedger();
    for (let round = 0; round < 20; round += 1) {
      const [sale] = await world.sell(eventId, [1]);
      world.tell(eventId, [sale?.transactionId ?? ""]);
      await world.database.query({
        text: `
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = 'boxoffice-long'`,
      });
    }
    await waitFor(async () => (await world.numbers(eventId)).pending === 0, { withinMs: 10_000 });
    assert.deepEqual(await world.numbers(eventId), {
      capacity: 180,
      pending: 0,
      failed: 0,
      booked: -20,
      bookedRows: 20,
    });
    assert.equal(await dead(), 0);
  });

  it("books what was not published while RabbitMQ is down, and after it", async () => {
    const eventId = await world.addEvent(10);
    const rabbit = (proxy = await openTcpProxy(world.amqpUrl));
    const first = (ledger = await world.startLedger({
      amqpUrl: rabbit.url,
      sweep: { everyMs: 50, olderThanMs: 100 },
    }));
    const isBooked = async (places: number): Promise<boolean> =>
      (await world.numbers(eventId)).booked === -places;
    rabbit.away(true);
    await waitFor(async () => (await first.status()).queue.ready === undefined);
    await world.sell(eventId, [3]);
    await waitFor(() => isBooked(3));
    rabbit.away(false);
    await waitFor(async () => (await first.status()).queue.ready !== undefined);
    await world.sell(eventId, [2]);
    await waitFor(() => isBooked(5));
    assert.equal((await world.numbers(eventId)).pending, 0);
  });

  it("stops within seconds while PostgreSQL is down", async () => {
    const eventId = await world.addEvent(10);
    const postgres = (proxy = await openTcpProxy(world.databaseUrl));
    postgres.away(true);
    ledger = await world.startLedger({ databaseUrl: postgres.url });
    world.tell(eventId, []);
    await waitFor(async () => (await inspectTopology(world.channel, world.topology)).ready === 0);
    const startMs = performance.now();
    await ledger.stop();
    assert.ok(performance.now() - startMs < 4_000);
  });
});
