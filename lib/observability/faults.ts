import { inspect } from "node:util";

/** Where an exception of the program's own ended. `uncaught`: the process ends after it. */
const PLACES = ["request", "stream", "timer", "event", "call", "uncaught"] as const;
export type FaultPlace = (typeof PLACES)[number];

type Log = { error(facts: object, message: string): void };

/** The process' own: an exception of a timer belongs to no broker. Zeros are shown, too. */
const counts = Object.fromEntries(PLACES.map((place) => [place, 0])) as Record<FaultPlace, number>;
let log: Log = {
  error: (facts, message) => process.emitWarning(message, { detail: inspect(facts) }),
};

/** Names the log for faults that have none of their own. */
export function logFaultsTo(own: Log): void {
  log = own;
}

export function faultCounts(): Readonly<Record<FaultPlace, number>> {
  return counts;
}

/** Counts a fault that its caller logs or answers with. */
export function countFault(place: FaultPlace): void {
  counts[place] += 1;
}

/** Counts a fault and writes one line. */
export function noteFault(place: FaultPlace, error: unknown, message: string): void {
  countFault(place);
  log.error({ place, ...faultFacts(error) }, message);
}

/**
 * Runs the work of a timer or a listener. Its exception, or its promise's, is noted and goes no
 * further, since it has no caller that could catch it.
 */
export function guarded(place: FaultPlace, work: () => unknown): void {
  try {
    const result = work();
    if (result instanceof Promise)
      result.catch((error: unknown) => noteFault(place, error, `The work of a ${place} failed`));
  } catch (error) {
    noteFault(place, error, `The work of a ${place} failed`);
  }
}

/** Type and stack of an error for the log. Its message may hold a statement and its values. */
export function faultFacts(error: unknown): { type: unknown; stack: string } {
  const { type, stack } = (error ?? {}) as { type?: unknown; stack?: string };
  return { type, stack: stack ?? String(error) };
}
