import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "../../lib/database/pool.ts";
import { readPlaces, type Sample } from "./rows.ts";

const EVERY_MS = 250;

export type Sampler = { samples: Sample[]; stop(): void };

/** Reads the events' places repeatedly while PostgreSQL answers. */
export function startSampler(database: Database, events: readonly string[]): Sampler {
  const samples: Sample[] = [];
  let stopped = false;
  const run = async (): Promise<void> => {
    while (!stopped) {
      try {
        const places = await readPlaces(database, events);
        const atMs = performance.now();
        samples.push(...places.map((one) => ({ ...one, atMs })));
      } catch {
        // PostgreSQL is down. The next sample shows what it had.
      }
      await delay(EVERY_MS, undefined, { ref: false });
    }
  };
  void run();
  return { samples, stop: () => (stopped = true) };
}
