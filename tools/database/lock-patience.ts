import { setTimeout as wait } from "node:timers/promises";
import { type Client, DatabaseError } from "pg";
import { MigrationError } from "./migration-files.ts";

/**
 * A statement that waits for a lock makes later sales wait behind it. 200 ms is a fifth of what a
 * sale waits for a lock. See ADR-0060.
 */
export const LOCK_TIMEOUT_MS = 200;
/** Pause after a lock was not to be had; doubles up to the longest. Sales catch up meanwhile. */
const PAUSE_MS = { first: 300, longest: 5_000 };
/** SQLSTATEs after which the same statement may succeed: lock_not_available, deadlock_detected. */
const RETRIED = new Set(["55P03", "40P01"]);

export type Patience = {
  /** What is left of the total time, and at least one LOCK_TIMEOUT_MS. */
  leftMs(): number;
  /** Runs `work` again while it finds a lock taken. Rolls back before each further try. */
  retry(work: () => Promise<void>): Promise<void>;
};

/** Repeats what found a lock taken, with pauses in which sales pass, up to a total time. */
export function waitForLocks(
  client: Client,
  label: string,
  { report, giveUpAfterMs }: { report: (line: string) => void; giveUpAfterMs: number },
): Patience {
  const beganMs = performance.now();
  return {
    leftMs: () => Math.max(LOCK_TIMEOUT_MS, Math.ceil(beganMs + giveUpAfterMs - performance.now())),
    async retry(work) {
      let pauseMs = PAUSE_MS.first;
      for (let tries = 1; ; tries += 1)
        try {
          await work();
          return;
        } catch (error) {
          if (!(error instanceof DatabaseError) || !RETRIED.has(error.code ?? "")) throw error;
          await client.query("ROLLBACK");
          const waitedMs = performance.now() - beganMs;
          const behind = await oldestTransaction(client);
          if (waitedMs + pauseMs > giveUpAfterMs)
            throw new MigrationError(`no lock within ${inSeconds(giveUpAfterMs)}${behind}`);
          report(
            `migration ${label} waits for a lock: try ${tries}, ${inSeconds(waitedMs)} of ` +
              `${inSeconds(giveUpAfterMs)}${behind}`,
          );
          await wait(pauseMs);
          pauseMs = Math.min(2 * pauseMs, PAUSE_MS.longest);
        }
    },
  };
}

/** Names the session that most likely holds the lock. */
async function oldestTransaction(client: Client): Promise<string> {
  const { rows } = await client.query<{ who: string }>(
    `SELECT format('process %s (%s) for %s s', pid, coalesce(nullif(application_name, ''),
        'no name'), extract(epoch FROM clock_timestamp() - xact_start)::integer) AS who
     FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
     ORDER BY xact_start LIMIT 1`,
  );
  return rows[0] === undefined ? "" : `; the oldest transaction is that of ${rows[0].who}`;
}

function inSeconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
