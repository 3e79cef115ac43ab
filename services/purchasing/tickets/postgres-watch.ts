import { type Clock, systemClock, withTimeout } from "../../../lib/concurrency/clock.ts";
import type { Connection } from "../../../lib/database/pool.ts";

export type PostgresWatch = { readonly away: boolean; start(): void; stop(): void };

/** A stopped server is noticed within the sum of both. */
const PROBE_EVERY_MS = 250;
const PROBE_TIMEOUT_MS = 250;

/**
 * Probes PostgreSQL, so that reads from copies are marked, and need not wait for it, while it is
 * down or frozen. One probe at a time.
 */
export function createPostgresWatch(
  database: Connection,
  clock: Clock = systemClock,
): PostgresWatch {
  let running = false;
  let timer: { cancel(): void } | undefined;

  const probe = async (): Promise<void> => {
    const answering = database.query({ text: "SELECT 1" }).then(
      () => true,
      () => false,
    );
    watch.away = (await withTimeout(answering, PROBE_TIMEOUT_MS)) !== true;
    // A late answer ends the outage.
    watch.away = !(await answering);
    if (running) timer = clock.after(PROBE_EVERY_MS, () => void probe());
  };

  const watch = {
    away: false,
    start() {
      running = true;
      void probe();
    },
    stop() {
      running = false;
      timer?.cancel();
    },
  };
  return watch;
}
