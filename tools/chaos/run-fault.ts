import { setTimeout as delay } from "node:timers/promises";
import { seededRandom } from "../testing/seeded-random.ts";
import { type Balancer, openBalancer } from "./network/balancer.ts";
import { type Measures, measure } from "./checks/good-answers.ts";
import { checkSamples } from "./checks/places.ts";
import { checkTryAgain } from "./checks/sales.ts";
import type { Violation } from "./checks/violation.ts";
import type { Market } from "./load/customer.ts";
import type { Fault } from "./fault.ts";
import { finish } from "./final-checks.ts";
import { type Entry, Journal, isGood } from "./load/journal.ts";
import { type Load, startLoad } from "./load/clients.ts";
import { type Phase, playOf } from "./run-scenario.ts";
import { startSampler } from "./sampler.ts";
import type { World } from "./test-bed.ts";

export type FaultResult = {
  id: string;
  title: string;
  seed: number;
  seconds: number;
  measures: Measures;
  /** I7: from the end of the load until everything was booked. */
  drainedSeconds: number;
  /** Number of samples of the places during the fault. */
  samples: number;
  violations: Violation[];
  /** Conditions of the fault that did not hold. */
  missed: string[];
  notes: string[];
  phases: Phase[];
  /** The first bad answers: seconds since the fault's start, with its phases. */
  badAnswers: string[];
};

export type RunOptions = {
  seed: number;
  clients?: number;
  thinkMs?: number;
  hotCapacity?: number;
  /** Seconds of load before the fault and after it. */
  aroundSeconds?: { before: number; after: number };
  /** Time limit for the end: outcomes known, everything booked, something sold again. */
  patienceSeconds?: number;
  log: (line: string) => void;
};

const CLIENTS = 12;
const THINK_MS = 40;
const HOT_CAPACITY = 8_000;
const COLD_CAPACITIES = [400, 150, 150];
const AROUND_S = { before: 2, after: 3 };
const PATIENCE_S = 30;
const BAD_TOLD_MAX = 200;

/**
 * Runs one fault on a healthy world: new events, clients before, during and after it, then all
 * checks.
 */
export async function runFault(
  world: World,
  fault: Fault,
  options: RunOptions,
): Promise<FaultResult> {
  const beganMs = performance.now();
  const { seed, log, aroundSeconds = AROUND_S, patienceSeconds = PATIENCE_S } = options;
  const random = seededRandom(seed);
  const journal = new Journal();
  const hotCapacity = fault.hotCapacity ?? options.hotCapacity ?? HOT_CAPACITY;
  const events = await Promise.all(
    [hotCapacity, ...COLD_CAPACITIES].map(async (total) => {
      const event = await world.addEvent(total);
      journal.sales.set(event, { total, startsAtMs: undefined });
      return event;
    }),
  );
  const balancer: Balancer = openBalancer(
    world.sender,
    world.cluster.of("api").map(({ name, url }) => ({ name, url: url ?? "" })),
  );
  const { accessToken, purchaseId, cancellationId } = world;
  const market: Market = { balancer, journal, accessToken, purchaseId, cancellationId };
  let load: Load | undefined;
  const play = playOf(fault, {
    world,
    market,
    events,
    random,
    load: () => load,
    beganMs,
    log: (line) => log(`${fault.id}: ${line}`),
  });

  try {
    await play.prepare();
    const sampler = startSampler(world.database, events);
    load = startLoad(market, {
      seed,
      clients: options.clients ?? CLIENTS,
      thinkMs: options.thinkMs ?? THINK_MS,
      events: [...events],
    });
    await delay(aroundSeconds.before * 1_000);
    const faultMs = performance.now();
    await play.run();
    await delay(aroundSeconds.after * 1_000);
    await load.stop();
    sampler.stop();
    // Requests of the clients are measured; repetitions that settle outcomes are not.
    const firstBadAnswers = badAnswers(journal.entries, beganMs);
    const measures = measure([...journal.entries], play.referenceMs() ?? faultMs);
    log(`${fault.id}: the load has ended (${journal.entries.length} answers); checking`);
    const { violations, drainedSeconds } = await finish(
      world,
      market,
      events,
      random,
      patienceSeconds * 1_000,
    );
    return {
      id: fault.id,
      title: fault.title,
      seed,
      seconds: (performance.now() - beganMs) / 1_000,
      measures,
      drainedSeconds,
      samples: sampler.samples.length,
      violations: [
        ...checkSamples(sampler.samples, beganMs),
        ...violations,
        ...checkTryAgain(journal.entries),
      ],
      missed: [...play.missed, ...(fault.bounds?.(measures) ?? [])],
      badAnswers: firstBadAnswers,
      notes: play.notes,
      phases: play.phases,
    };
  } finally {
    await load?.stop();
    balancer.stop();
    await play.close();
  }
}

function badAnswers(entries: readonly Entry[], beganMs: number): string[] {
  return entries
    .filter((entry) => entry.started >= beganMs && !isGood(entry))
    .slice(0, BAD_TOLD_MAX)
    .map(
      ({ op, event, via, status, code, started, ended }) =>
        `${((ended - beganMs) / 1_000).toFixed(2)} s: ${op} ${event ?? ""} by ${via}: ` +
        `${status ?? ""} ${code ?? ""} after ${Math.round(ended - started)} ms`,
    );
}
