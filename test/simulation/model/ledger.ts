import type { EventBatch, Handler } from "../../../lib/queue/index.ts";
import { startSweeper } from "../../../services/ledger/booking/outbox-sweeper.ts";
import { createBooking } from "../../../services/ledger/booking/transaction-consumer.ts";
import { ledgerDatabase, type LedgerWorld, PREFIX_MAX } from "./database/ledger-database.ts";
import type { SimulatedQueue } from "./queue.ts";
import type { SimulatedRedis } from "./redis.ts";

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

type Surroundings = LedgerWorld & {
  readonly queue: SimulatedQueue;
  readonly redis: SimulatedRedis;
  readonly plant: { sweeperOff?: true };
  killLedger(ledger: SimulatedLedger): void;
};

/** Runs a ledger node's real handler and sweeper on simulated servers. */
export class SimulatedLedger {
  readonly id: string;
  /** Set to kill the node after its next COMMIT, before it acknowledges. */
  killedAfterCommit = false;
  private readonly world: Surroundings;
  private readonly endSession: () => void;

  constructor(id: string, world: Surroundings, plantMistake: (handler: Handler) => Handler) {
    this.id = id;
    this.world = world;
    const { kernel, queue, plant } = world;
    const clock = kernel.clockOf(id);
    const redis = world.redis.client(id);
    const database = ledgerDatabase(world, id, () => {
      if (this.killedAfterCommit) world.killLedger(this);
    });
    const handled = new Set<string>();
    const counts = { appliedRows: 0, failedRows: 0, outages: 0 };
    const { handle, book } = createBooking({
      database,
      log: SILENT,
      counts,
      handled,
      clock,
      prefixMax: PREFIX_MAX,
    });
    const consumer = queue.consume(id, plantMistake(handle));
    this.endSession = () => consumer.endSession();
    if (plant.sweeperOff === true) return;
    const publisher = {
      publish: (batch: EventBatch) => queue.publish(batch),
      connected: () => queue.up,
    };
    startSweeper({ database, publisher, book, redis, handled, log: SILENT, clock });
  }

  die(): void {
    this.world.kernel.kill(this.id);
    this.world.database.disconnect(this.id);
    this.endSession();
  }
}
