import type { ServiceBroker } from "moleculer";
import type { CopiesDoubted } from "../../../lib/availability/ticket-copy.ts";
import { nodesOffering } from "../../../lib/bus/event-owner.strategy.ts";

/** Name of the broadcast to all readers: a write of copies may be lost, or none is any more. */
export const COPIES_DOUBTED = "copies.doubted";
/** A node that offers this action reads copies. */
const READ_ACTION = "purchasing.tickets.get";
/** As long as buyers wait for copies. */
const PING_TIMEOUT_MS = 150;

export type DoubtNotices = {
  /** Resolves when readers know. Never rejects. `id`: grows with each notice. */
  doubt(id: number): Promise<void>;
  /** Takes the notice back: all writes have reached Redis or are repaired. */
  settled(id: number): void;
};

/**
 * Tells all readers. `doubt` waits until they know: the bus delivers in order, so that a node which
 * answers a ping has the notice.
 */
export function createDoubtNotices(broker: ServiceBroker): DoubtNotices {
  const tell = (notice: CopiesDoubted): Promise<void> =>
    broker.broadcast(COPIES_DOUBTED, notice).catch(() => undefined);
  return {
    async doubt(id) {
      await tell({ id });
      const readers = nodesOffering(broker, READ_ACTION).filter((node) => node !== broker.nodeID);
      await Promise.all(
        readers.map((node) => broker.ping(node, PING_TIMEOUT_MS).catch(() => undefined)),
      );
    },
    settled: (id) => void tell({ id, settled: true }),
  };
}
