import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openWorld, type World } from "../scripts/chaos/world.ts";
import { SERVER_NAMES } from "../scripts/servers/binaries.ts";
import type { Report } from "../scripts/servers/problem.ts";
import { buyAtOnce } from "./load.ts";
import { cpuMsOf } from "./process-figures.ts";

const LAYOUTS = {
  "one of each": { api: 1, auth: 1, catalog: 1, purchasing: 1, ledger: 1 },
  "two gateways, two purchasing nodes": { api: 2, auth: 1, catalog: 1, purchasing: 2, ledger: 1 },
} as const;
type Layout = keyof typeof LAYOUTS;

/** CPU-milliseconds a sale, by kind of node and by server. */
type Cpu = Record<string, number>;
export type NodesResult = {
  layout: Layout;
  events: number;
  sold: number;
  soldPerSecond: number;
  refused: number;
  failed: number;
  p50Ms: number;
  p99Ms: number;
  cpu: Cpu;
};

const PLACES = 50_000_000;
const WARM_UP_SECONDS = 3;
const EVENT_COUNTS = [1, 8];

/**
 * Sells through a cluster of separate processes, one gateway and purchasing node against two of each, one event and several. On a machine with fewer
 * cores than processes it shows what distribution costs, not what it brings: the milliseconds a sale are to be compared.
 */
export async function nodes(options: { buyers: number; seconds: number }, report: Report): Promise<NodesResult[]> {
  const results: NodesResult[] = [];
  for (const layout of Object.keys(LAYOUTS) as Layout[]) {
    const environment = { TICKETS_PER_CUSTOMER_MAX: "10000" };
    const world = await openWorld({ report, environment, counts: LAYOUTS[layout] });
    const folder = mkdtempSync(join(tmpdir(), "boxoffice-bench-"));
    try {
      for (const events of EVENT_COUNTS) {
        report(`${layout}, ${events === 1 ? "one event" : `${events} events`}`);
        results.push({ layout, events, ...(await sell(world, folder, events, options)) });
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
  events: number,
  { buyers, seconds }: { buyers: number; seconds: number },
): Promise<Omit<NodesResult, "layout" | "events">> {
  const ids = await Promise.all(Array.from({ length: events }, () => world.addEvent(PLACES)));
  const path = ids.map((id) => `/api/events/${id}/tickets`).join(",");
  const gateways = world.cluster.of("api");
  const loads = gateways.map(({ url = "" }, index) => {
    const tokens = Array.from({ length: Math.ceil(buyers / gateways.length) }, () => world.accessToken(randomUUID()));
    const tokensFile = join(folder, `tokens-${events}-${index}`);
    writeFileSync(tokensFile, tokens.join("\n"), { mode: 0o600 });
    return { url, path, tokensFile, tokens, connections: tokens.length };
  });
  const buy = (forSeconds: number) => Promise.all(loads.map((load) => buyAtOnce({ ...load, seconds: forSeconds })));
  await buy(WARM_UP_SECONDS);
  const before = cpuByKind(world);
  const answers = await buy(seconds);
  const after = cpuByKind(world);
  const sum = (figure: "answers" | "refused" | "failed"): number => answers.reduce((total, one) => total + one[figure], 0);
  const sold = sum("answers") - sum("refused");
  return {
    sold,
    soldPerSecond: sold / Math.max(...answers.map((one) => one.seconds)),
    refused: sum("refused"),
    failed: sum("failed"),
    p50Ms: Math.max(...answers.map(({ p50Ms }) => p50Ms)),
    p99Ms: Math.max(...answers.map(({ p99Ms }) => p99Ms)),
    cpu: Object.fromEntries(Object.entries(after).map(([kind, ms]) => [kind, (ms - (before[kind] ?? 0)) / Math.max(1, sold)])),
  };
}

/** What all processes of each kind have computed so far; a server's with those it has forked. */
function cpuByKind({ cluster, servers }: World): Cpu {
  const cpu: Cpu = {};
  for (const { service, pid } of cluster.nodes) if (pid !== undefined) cpu[service] = (cpu[service] ?? 0) + cpuMsOf(pid);
  for (const name of SERVER_NAMES) {
    const { pid } = servers.server(name);
    if (pid !== undefined) cpu[name] = [pid, ...childrenOf(pid)].reduce((sum, one) => sum + cpuMsOf(one), 0);
  }
  return cpu;
}

function childrenOf(parent: number): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return Number(
        readFileSync(`/proc/${name}/stat`, "utf8")
          .replace(/^.*\) /, "")
          .split(" ")[1],
      ) === parent
        ? [Number(name)]
        : [];
    } catch {
      return []; // It has just ended.
    }
  });
}

export function printNodes(results: readonly NodesResult[]): void {
  console.table(
    results.map(({ layout, events, soldPerSecond, refused, failed, p50Ms, p99Ms, cpu }) => {
      const engine = ["api", "purchasing", "ledger"].reduce((sum, kind) => sum + (cpu[kind] ?? 0), 0);
      return {
        ...{
          layout,
          events,
          "sold/s": Math.round(soldPerSecond),
          refused,
          failed,
          "p50 ms": Math.round(p50Ms),
          "p99 ms": Math.round(p99Ms),
        },
        "CPU ms/sale": Number(engine.toFixed(3)),
        ...Object.fromEntries(Object.entries(cpu).map(([kind, ms]) => [kind, Number(ms.toFixed(3))])),
      };
    }),
  );
  console.log("CPU ms/sale: api, purchasing and ledger together; the columns after it by kind of node and by server");
}
