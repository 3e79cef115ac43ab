import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openWorld, type World } from "../../chaos/test-bed.ts";
import type { Report } from "../../dev-servers/server-problem.ts";
import type { Histogram } from "../harness/histogram.ts";
import { buyAtOnce, type LoadResult, timesOf } from "../harness/load.ts";
import type { Bound, Measurement } from "../harness/measurement.ts";
import { LOAD, type Processes, serverProcesses, startMeter } from "../harness/process-figures.ts";

const LAYOUTS = {
  "one of each": { api: 1, auth: 1, catalog: 1, purchasing: 1, ledger: 1 },
  "two gateways, two purchasing nodes": { api: 2, auth: 1, catalog: 1, purchasing: 2, ledger: 1 },
} as const;
type Layout = keyof typeof LAYOUTS;

/** CPU is compared, and a refusal costs another amount. */
export const NODES_BOUNDS: readonly Bound[] = [{ of: /./, figure: "errors", most: 0 }];

const PLACES = 50_000_000;
const WARM_UP_SECONDS = 3;
const EVENT_COUNTS = [1, 8];

/**
 * Sells through a cluster of separate processes: one gateway and purchasing node against two of
 * each, one event and several. With fewer cores than processes it shows the cost of distribution,
 * not its gain: compare milliseconds per sale.
 */
export async function nodes(
  options: { buyers: number; seconds: number },
  report: Report,
): Promise<Measurement[]> {
  const results: Measurement[] = [];
  for (const layout of Object.keys(LAYOUTS) as Layout[]) {
    const environment = { TICKETS_PER_CUSTOMER_MAX: "10000" };
    const world = await openWorld({ report, environment, counts: LAYOUTS[layout] });
    const folder = mkdtempSync(join(tmpdir(), "boxoffice-bench-"));
    try {
      for (const events of EVENT_COUNTS) {
        const name = `${layout}, ${events === 1 ? "one event" : `${events} events`}`;
        report(name);
        results.push(await sell(world, folder, name, events, options));
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
      await world.close();
    }
  }
  return results;
}

async function sell(
  world: World,
  folder: string,
  name: string,
  events: number,
  { buyers, seconds }: { buyers: number; seconds: number },
): Promise<Measurement> {
  const ids = await Promise.all(Array.from({ length: events }, () => world.addEvent(PLACES)));
  const path = ids.map((id) => `/api/events/${id}/tickets`).join(",");
  const gateways = world.cluster.of("api");
  const loads = gateways.map(({ url = "" }, index) => {
    const tokens = Array.from({ length: Math.ceil(buyers / gateways.length) }, () =>
      world.accessToken(randomUUID()),
    );
    const tokensFile = join(folder, `tokens-${events}-${index}`);
    writeFileSync(tokensFile, tokens.join("\n"), { mode: 0o600 });
    return { url, path, tokensFile, connections: tokens.length };
  });
  const buy = (forSeconds: number) =>
    Promise.all(loads.map((load) => buyAtOnce({ ...load, seconds: forSeconds })));
  await buy(WARM_UP_SECONDS);
  const meter = startMeter({ ...processesOf(world), ...LOAD });
  const results = await buy(seconds);
  const sold = results.reduce((sum, one) => sum + one.answers - one.refused, 0);
  const errors = results.reduce((sum, one) => sum + one.refused + one.failed, 0);
  const slowest = Math.max(...results.map((one) => one.seconds));
  const figures = meter(sold);
  const engine = ["api", "purchasing", "ledger"].reduce(
    (sum, kind) => sum + (figures.cpuMs[kind] ?? 0),
    0,
  );
  return {
    name,
    role: "ours",
    operation: "sale",
    operations: sold,
    seconds: slowest,
    perSecond: sold / slowest,
    times: worstOf(results),
    errors,
    ...figures,
    more: { "CPU ms api + purchasing + ledger": engine },
  };
}

/** All processes of each kind. */
function processesOf({ cluster, servers }: World): Processes {
  const processes: Record<string, number[]> = {};
  for (const { service, pid } of cluster.nodes)
    if (pid !== undefined) (processes[service] ??= []).push(pid);
  return { ...processes, ...serverProcesses(servers) };
}

/** The slower of several generators, figure by figure. */
function worstOf(results: readonly LoadResult[]): Histogram {
  const times = results.map(timesOf);
  const most = (figure: keyof Histogram): number => Math.max(...times.map((one) => one[figure]));
  const count = times.reduce((sum, one) => sum + one.count, 0);
  return {
    count,
    p50: most("p50"),
    p95: most("p95"),
    p99: most("p99"),
    p999: most("p999"),
    max: most("max"),
  };
}
