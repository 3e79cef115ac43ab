import { revisionLine } from "../documents/revision.ts";

/**
 * CPU milliseconds of the engine's nodes. A sale is measured at its gateway and behind it
 * (purchasing and ledger), on separate nodes, so the bus is included.
 */
export type Costs = { gatewaySaleMs: number; workerSaleMs: number; viewMs: number };

/** Load of a day and of its worst moment. */
export type Demand = { name: string; dailyUsers: number; concurrentOperations: number };

export const DEMANDS: readonly Demand[] = [
  {
    name: "1 million users a day, 10,000 operations at once",
    dailyUsers: 1e6,
    concurrentOperations: 1e4,
  },
  { name: "ten times that", dailyUsers: 1e7, concurrentOperations: 1e5 },
  { name: "a hundred times that", dailyUsers: 1e8, concurrentOperations: 1e6 },
];

/** Share of the concurrent operations that are purchases. */
const PURCHASE_SHARE = 0.1;
/** Every operation is answered within this time. */
const RESPONSE_S = 1;
/** Highest load of a node, which is one thread. Waiting times grow beyond it. */
const UTILIZATION_MAX = 0.6;
/** The gateway's share of a view's CPU. It answers most views from its cache. Assumed. */
const GATEWAY_SHARE_OF_VIEW = 0.7;
const NODES_MIN = 2;
const NODE_MB = 512;
const TICKETS_PER_DAILY_USER = 0.2;
/** Rows and index entries of a ticket and its booking, summed from their columns. */
const BYTES_PER_TICKET = 800;

export type Plan = {
  viewsPerSecond: number;
  salesPerSecond: number;
  gateways: number;
  purchasing: number;
  catalog: number;
  memoryGb: number;
  postgresGbPerYear: number;
};

export function planFor(
  { dailyUsers, concurrentOperations }: Demand,
  { gatewaySaleMs, workerSaleMs, viewMs }: Costs,
): Plan {
  const perSecond = concurrentOperations / RESPONSE_S;
  const salesPerSecond = perSecond * PURCHASE_SHARE;
  const viewsPerSecond = perSecond - salesPerSecond;
  const nodes = (cpuMsPerSecond: number): number =>
    Math.max(NODES_MIN, Math.ceil(cpuMsPerSecond / 1_000 / UTILIZATION_MAX));
  const gateways = nodes(
    viewsPerSecond * viewMs * GATEWAY_SHARE_OF_VIEW + salesPerSecond * gatewaySaleMs,
  );
  const purchasing = nodes(salesPerSecond * workerSaleMs);
  const catalog = nodes(viewsPerSecond * viewMs * (1 - GATEWAY_SHARE_OF_VIEW));
  const tickets = dailyUsers * TICKETS_PER_DAILY_USER;
  return {
    viewsPerSecond,
    salesPerSecond,
    gateways,
    purchasing,
    catalog,
    memoryGb: ((gateways + purchasing + catalog + 2 * NODES_MIN) * NODE_MB) / 1_024,
    postgresGbPerYear: (tickets * 365 * BYTES_PER_TICKET) / 1e9,
  };
}

/** What this file reads of .data/bench/SCENARIO.json. */
type Results = {
  revision?: string;
  at?: string;
  measurements?: {
    name: string;
    operation: string;
    operations: number;
    cpuMs: Record<string, number>;
  }[];
};

/**
 * Reads the costs from results of benchmarks. A sale costs what the most expensive layout of
 * `nodes` costs, at each end. A view costs the engine's CPU in `rush` without its sales, whose
 * cost `hot-event` has; both run in one node. It is the median of the rounds.
 */
export function costsOf({
  nodes,
  hotEvent,
  rush,
}: {
  nodes: unknown;
  hotEvent: unknown;
  rush: unknown;
}): Partial<Costs> {
  const layouts = measurementsOf(nodes).map(({ cpuMs }) => cpuMs);
  const highest = (...services: string[]): number =>
    Math.max(
      ...layouts.map((cpuMs) => services.reduce((sum, name) => sum + (cpuMs[name] ?? 0), 0)),
    );
  const saleMs = measurementsOf(hotEvent).find(({ name }) => name === "worker")?.cpuMs.engine;
  const rounds = measurementsOf(rush);
  const views = rounds.flatMap(({ name, operation, operations, cpuMs: { engine } }) => {
    if (operation !== "search" || engine === undefined || operations === 0) return [];
    // Searches and purchases of a round have the same figure: the engine's CPU per operation.
    const purchases = name.replace(/search$/, "purchase");
    const sales = rounds.find((other) => other.name === purchases)?.operations ?? 0;
    return [(engine * (operations + sales) - sales * (saleMs ?? 0)) / operations];
  });
  const viewMs = views.toSorted((one, other) => one - other)[Math.floor(views.length / 2)];
  return {
    ...(layouts.length > 0 && {
      gatewaySaleMs: highest("api"),
      workerSaleMs: highest("purchasing", "ledger"),
    }),
    ...(viewMs !== undefined && { viewMs }),
  };
}

function measurementsOf(results: unknown): NonNullable<Results["measurements"]> {
  return (results as Results | undefined)?.measurements ?? [];
}

export type MeasuredRun = { revision: string; date: string };

/** Returns the oldest of the runs whose results the table uses. */
export function oldestRun(results: readonly unknown[]): MeasuredRun | undefined {
  return results
    .flatMap((result): MeasuredRun[] => {
      const { revision, at: date } = (result ?? {}) as Results;
      return revision === undefined || date === undefined ? [] : [{ revision, date }];
    })
    .sort((one, other) => one.date.localeCompare(other.date))[0];
}

/** Returns the generated part of docs/scaling.md. `run`: the oldest measurement it rests on. */
export function capacityTable(costs: Costs, run?: MeasuredRun): string {
  const { gatewaySaleMs, workerSaleMs, viewMs } = costs;
  const plans = DEMANDS.map((demand) => planFor(demand, costs));
  const round = (value: number): string =>
    value < 10 && !Number.isInteger(value)
      ? value.toFixed(1)
      : Math.round(value).toLocaleString("en");
  const row = (what: string, of: (plan: Plan) => number): string =>
    `| ${what} | ${plans.map((plan) => round(of(plan))).join(" | ")} |`;
  return [
    revisionLine("npx boxoffice scaling", run),
    `CPU milliseconds: ${gatewaySaleMs.toFixed(2)} per purchase at the gateway, ` +
      `${workerSaleMs.toFixed(2)} behind it, ${viewMs.toFixed(2)} per view.`,
    "",
    `| | ${DEMANDS.map(({ name }) => name).join(" | ")} |`,
    "|---|---|---|---|",
    row("views per second at the peak", ({ viewsPerSecond }) => viewsPerSecond),
    row("purchases per second at the peak", ({ salesPerSecond }) => salesPerSecond),
    row("gateways", ({ gateways }) => gateways),
    row("purchasing nodes and ledgers", ({ purchasing }) => purchasing),
    row("catalog nodes", ({ catalog }) => catalog),
    row("memory of all nodes, GB", ({ memoryGb }) => memoryGb),
    row("growth of PostgreSQL, GB per year", ({ postgresGbPerYear }) => postgresGbPerYear),
    "",
  ].join("\n");
}
