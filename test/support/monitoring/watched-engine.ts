import { randomUUID } from "node:crypto";
import { type Environment } from "../../../config/index.ts";
import { freePort } from "../../../tools/dev-servers/ports.ts";
import { type Engine, startEngine } from "../engine.ts";
import { waitFor } from "../wait-for.ts";

export type WatchedEngine = {
  engine: Engine;
  /** The value of a series at /metrics. */
  value: (series: string) => Promise<string | undefined>;
  /** Waits until /readyz answers 200 with exactly these troubles, and the metrics agree. */
  untilTroubles: (...troubles: string[]) => Promise<void>;
  /** Buys a ticket, and returns the status. */
  buy: (event: string) => Promise<number>;
  /** Faults that requests and calls have met. */
  faults: () => Promise<number>;
};

/** Starts an engine with metrics. */
export async function startWatchedEngine(environment: Environment = {}): Promise<WatchedEngine> {
  const port = await freePort();
  const engine = await startEngine({ METRICS_PORT: String(port), ...environment });
  const scraped = async (): Promise<string[]> =>
    (await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).split("\n");
  const value: WatchedEngine["value"] = async (series) =>
    (await scraped()).find((line) => line.startsWith(`${series} `))?.slice(series.length + 1);
  return {
    engine,
    value,
    async untilTroubles(...troubles) {
      const expected = JSON.stringify({
        status: "ready",
        ...(troubles.length > 0 && { troubles }),
      });
      const says = async (): Promise<boolean> => {
        const answer = await fetch(`${engine.url}/readyz`);
        return answer.status === 200 && (await answer.text()) === expected;
      };
      await waitFor(says, { withinMs: 60_000, what: `/readyz says ${expected}` });
      const on = (await scraped()).flatMap((line) => {
        const [, target, reason] =
          /^boxoffice_refuses_writes\{target="(.*)",reason="(.*)"\} 1$/.exec(line) ?? [];
        return target === undefined ? [] : [`${target} (${reason})`];
      });
      if (on.join() !== troubles.join())
        throw new Error(`the metrics say ${on.join()} instead of ${troubles.join()}`);
    },
    async buy(event) {
      const answer = await fetch(`${engine.url}/api/events/${event}/tickets`, {
        method: "POST",
        headers: {
          Authorization: `Bearer ${engine.accessToken()}`,
          "Content-Type": "application/json",
          "Idempotency-Key": randomUUID(),
        },
        body: '{"quantity":1}',
      });
      await answer.body?.cancel();
      return answer.status;
    },
    async faults() {
      const counts = (await scraped()).filter((line) => line.startsWith("boxoffice_faults_total{"));
      return counts.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
    },
  };
}
