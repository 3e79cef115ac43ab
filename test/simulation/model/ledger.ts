import type { Handler } from "../../../lib/queue/index.ts";
import { startSweeper } from "../../../services/ledger/booking/outbox-sweeper.ts";
import { createTransactionHandler } from "../../../services/ledger/booking/transaction-consumer.ts";
import { PREFIX_MAX, ledgerDatabase } from "./ledger-database.ts";
import type { World } from "./world.ts";

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A ledger node: its real handler and sweeper over the simulated queue, PostgreSQL and Redis. */
export class SimulatedLedger {
  readonly id: string;
  /** Dies as soon as PostgreSQL has committed for it next, before it can acknowledge. */
  diesAfterCommit = false;
  private readonly world: World;
  private readonly endSession: () => void;

  constructor(id: string, world: World) {
    this.id = id;
    this.world = world;
    const { kernel, queue, plant } = world;
    const clock = kernel.clockOf(id);
    const redis = world.redis.client(id);
    const database = ledgerDatabase(world, id, () => {
      if (this.diesAfterCommit) world.killLedger(this);
    });
    const handled = new Set<string>();
    const counts = { appliedRows: 0, failedRows: 0, outages: 0 };
    const handler: Handler = createTransactionHandler({
      database,
      log: SILENT,
      counts,
      handled,
      clock,
      prefixMax: PREFIX_MAX,
    });
    const consumer = queue.consume(id, plant.ledger?.(handler, world) ?? handler);
    this.endSession = () => consumer.sessionEnds();
    if (plant.sweeperOff === true) return;
    const publish = (eventId: string): void => queue.publish({ eventId, transactionIds: [] });
    const publisher = {
      publish,
      connected: () => queue.up,
      counts: () => NOTHING,
      close: () => Promise.resolve(),
    };
    startSweeper({ database, publisher, redis, handled, log: SILENT, clock });
  }

  die(): void {
    this.world.kernel.kill(this.id);
    this.world.database.disconnect(this.id);
    this.endSession();
  }
}

const NOTHING = { confirmed: 0, dropped: 0, failed: 0, unconfirmed: 0 };
