import type { Fault } from "./fault.ts";
import { type FaultResult, runFault } from "./run-fault.ts";
import { openWorld, type World, type WorldOptions } from "./world.ts";

export type ChaosOptions = WorldOptions & { faults: readonly Fault[]; seed: number; clients?: number; thinkMs?: number };

/** Runs faults one by one on one world; where one leaves it unusable, the next gets a new one. Always leaves nothing behind. */
export async function runFaults(options: ChaosOptions): Promise<FaultResult[]> {
  const { faults, seed, clients, thinkMs, report: log, abort } = options;
  const results: FaultResult[] = [];
  let world: World | undefined;
  try {
    for (const fault of faults) {
      abort?.throwIfAborted();
      world ??= await openWorld(options);
      // A seed of its own, so that a fault alone does what it did in a run of all.
      const own = seed * 100 + Number(fault.id.slice(1));
      const load = { ...(clients === undefined ? {} : { clients }), ...(thinkMs === undefined ? {} : { thinkMs }) };
      results.push(await runFault(world, fault, { seed: own, log, ...load }));
    }
  } finally {
    await world?.close();
  }
  return results;
}
