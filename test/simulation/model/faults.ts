import type { Rows } from "./database/rows.ts";
import type { Fault } from "./steps.ts";
import type { World } from "./world.ts";

/** Applies a history's faults to a world. `restored` is called before a backup is restored. */
export function createFaults(
  world: World,
  restored: (backup: ReadonlyMap<string, Rows>) => void,
): (fault: Fault) => void {
  const { kernel, bus, network, locks, redis, queue, database } = world;
  let backup: Map<string, Rows> | undefined;

  return (fault) => {
    switch (fault.type) {
      case "freeze":
      case "kill":
      case "leave":
      case "hide": {
        const node = bus.node(fault.node);
        if (node === undefined) return;
        if (fault.type === "freeze") kernel.freeze(node.id, fault.forMs);
        else if (fault.type === "kill") world.killNode(node);
        else if (fault.type === "leave") void world.leave(node);
        else bus.hide(fault.viewer, node, fault.forMs);
        return;
      }
      case "kill-after-commit":
        world.killAfterCommit = true;
        return;
      case "import":
        return void world.importEvent(world.eventId(fault.event), fault);
      case "backup":
        backup = database.backup();
        return;
      case "restore":
        if (backup === undefined) return;
        restored(backup);
        // Copies in Redis may be newer than the backup. docs/operations.md: empty Redis after a
        // restore.
        redis.startEmpty();
        return database.restore(backup);
      case "lose":
        return network.disturb(fault.channel, fault.forMs);
      case "delay":
        return network.disturb(fault.channel, fault.forMs, fault.byMs);
      case "slow-commits":
        world.slow = { ...fault, untilMs: kernel.nowMs + fault.forMs };
        return;
      case "locks":
        return locks.disturb(fault.server, fault.what, fault.forMs);
      case "redis":
        return redis.disturb(fault.what, fault.forMs);
      case "queue":
        return queue.disturb(fault.what, fault.forMs);
      case "ledger":
        return disturbLedger(world, fault);
      case "refuse-booking":
        database.event(world.eventId(fault.event)).refusesBookingUntilMs =
          kernel.nowMs + fault.forMs;
        return;
      default:
        fault satisfies never;
    }
  };
}

function disturbLedger(world: World, { node, what, forMs }: Fault & { type: "ledger" }): void {
  const ledger = world.ledgers[node % Math.max(1, world.ledgers.length)];
  if (ledger === undefined) return;
  if (what === "kill") world.killLedger(ledger);
  else if (what === "freeze") world.kernel.freeze(ledger.id, forMs);
  else ledger.killedAfterCommit = true;
}
