import { measure } from "./checks/good-answers.ts";
import type { Fault } from "./fault.ts";
import { type FaultResult, runFault, type RunOptions } from "./run-fault.ts";
import { openWorld, type World, type WorldOptions } from "./test-bed.ts";

export type ChaosOptions = WorldOptions &
  Pick<RunOptions, "clients" | "thinkMs" | "hotCapacity"> & {
    faults: readonly Fault[];
    seed: number;
    /** Starts with this world, and leaves it open. */
    world?: World;
    /** Gets all results so far after each fault. */
    onResult?: (results: readonly FaultResult[]) => void;
  };

/**
 * Runs faults one by one on one world. Opens a new world after a fault with violations, and one of
 * its own for a fault with a standby. Closes the last one.
 */
export async function runFaults(options: ChaosOptions): Promise<FaultResult[]> {
  const { faults, seed, report: log, abort } = options;
  const results: FaultResult[] = [];
  let world = options.world;
  try {
    for (const fault of faults) {
      abort?.throwIfAborted();
      const own = fault.standby ? await openWorld({ ...options, standby: true }) : undefined;
      const stage = own ?? (world ??= await openWorld(options));
      // A seed per fault, so that a single fault repeats what it did in a run of all.
      const ownSeed = seed * 100 + Number(fault.id.slice(1));
      const result = await runFault(stage, fault, { ...options, seed: ownSeed, log }).catch(
        (error: unknown) => unchecked(fault, ownSeed, error),
      );
      results.push(result);
      options.onResult?.(results);
      if (own !== undefined) await own.close();
      else if (result.violations.length > 0 || result.samples === 0) {
        await stage.close();
        world = undefined;
      }
    }
  } finally {
    if (world !== options.world) await world?.close();
  }
  return results;
}

/** The result of a run that could not be checked to its end. It proves nothing. */
function unchecked({ id, title }: Fault, seed: number, error: unknown): FaultResult {
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    id,
    title,
    seed,
    seconds: 0,
    measures: measure([], 0),
    drainedSeconds: 0,
    samples: 0,
    violations: [],
    notes: [],
    phases: [],
    badAnswers: [],
    missed: [`could not be checked: ${why}`],
  };
}
