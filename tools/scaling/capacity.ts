/**
 * CPU-milliseconds of the engine's nodes: of one durable purchase at its gateway and behind it (purchasing and ledger), with nodes of their own, which
 * pay for the bus; and of one search that a reader sees.
 */
export type Costs = { gatewaySaleMs: number; workerSaleMs: number; viewMs: number };

/** What a day and its worst moment look like. */
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

/** One in ten of those who are there at once buys; everybody expects an answer within a second. */
const BUYERS = 0.1;
const ANSWER_S = 1;
/** A node is one thread; beyond this share of it waits grow. */
const BUSY_MOST = 0.6;
/** Of a view's CPU what the gateway costs, which answers most from bytes it keeps. Assumed, not measured. */
const GATEWAY_OF_VIEW = 0.7;
const LEAST_NODES = 2;
const NODE_MB = 512;
/** Tickets that a user of a day buys. */
const TICKETS_PER_USER = 0.2;
/** Rows and indexes of a ticket and its booking, summed from their columns. */
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
  const perSecond = concurrentOperations / ANSWER_S;
  const salesPerSecond = perSecond * BUYERS;
  const viewsPerSecond = perSecond - salesPerSecond;
  const nodes = (cpuMsPerSecond: number): number =>
    Math.max(LEAST_NODES, Math.ceil(cpuMsPerSecond / 1_000 / BUSY_MOST));
  const gateways = nodes(
    viewsPerSecond * viewMs * GATEWAY_OF_VIEW + salesPerSecond * gatewaySaleMs,
  );
  const purchasing = nodes(salesPerSecond * workerSaleMs);
  const catalog = nodes(viewsPerSecond * viewMs * (1 - GATEWAY_OF_VIEW));
  const tickets = dailyUsers * TICKETS_PER_USER;
  return {
    viewsPerSecond,
    salesPerSecond,
    gateways,
    purchasing,
    catalog,
    memoryGb: ((gateways + purchasing + catalog + 2 * LEAST_NODES) * NODE_MB) / 1_024,
    postgresGbPerYear: (tickets * 365 * BYTES_PER_TICKET) / 1e9,
  };
}

type Measured = {
  measurements?: {
    name: string;
    operation: string;
    operations: number;
    cpuMs: Record<string, number>;
  }[];
};

/**
 * What benchmarks have measured: a sale by nodes, the dearest of its layouts at each end; a view by rush, which runs in one node, as what is left of the
 * engine's CPU once its sales (by hot-event, in one node too) are taken off, of the median run.
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
  const layouts = ((nodes as Measured | undefined)?.measurements ?? []).map(({ cpuMs }) => cpuMs);
  const dearest = (...kinds: string[]): number =>
    Math.max(...layouts.map((cpuMs) => kinds.reduce((sum, kind) => sum + (cpuMs[kind] ?? 0), 0)));
  const saleMs = (hotEvent as Measured | undefined)?.measurements?.find(
    ({ name }) => name === "worker",
  )?.cpuMs.engine;
  const all = (rush as Measured | undefined)?.measurements ?? [];
  const views = all.flatMap(({ name, operation, operations, cpuMs: { engine } }) => {
    if (operation !== "search" || engine === undefined || operations === 0) return [];
    // In a rush both operations have the same share of what the engine computed.
    const sales =
      all.find((other) => other.name === name.replace(/search$/, "purchase"))?.operations ?? 0;
    return [(engine * (operations + sales) - sales * (saleMs ?? 0)) / operations];
  });
  const viewMs = views.toSorted((one, other) => one - other)[Math.floor(views.length / 2)];
  const sale =
    layouts.length === 0
      ? {}
      : { gatewaySaleMs: dearest("api"), workerSaleMs: dearest("purchasing", "ledger") };
  return { ...sale, ...(viewMs === undefined ? {} : { viewMs }) };
}

export function capacityTable(costs: Costs): string {
  const plans = DEMANDS.map((demand) => planFor(demand, costs));
  const round = (value: number): string =>
    value < 10 && !Number.isInteger(value)
      ? value.toFixed(1)
      : Math.round(value).toLocaleString("en");
  const row = (what: string, of: (plan: Plan) => number): string =>
    `| ${what} | ${plans.map((plan) => round(of(plan))).join(" | ")} |`;
  return [
    `Computed with ${costs.gatewaySaleMs.toFixed(2)} CPU-ms a purchase at the gateway, ${costs.workerSaleMs.toFixed(2)} behind it, and ${costs.viewMs.toFixed(2)} CPU-ms a view.`,
    "",
    `| | ${DEMANDS.map(({ name }) => name).join(" | ")} |`,
    "|---|---|---|---|",
    row("views a second, at worst", ({ viewsPerSecond }) => viewsPerSecond),
    row("purchases a second, at worst", ({ salesPerSecond }) => salesPerSecond),
    row("gateways", ({ gateways }) => gateways),
    row("purchasing nodes and ledgers", ({ purchasing }) => purchasing),
    row("catalog nodes", ({ catalog }) => catalog),
    row("memory of all nodes, GB", ({ memoryGb }) => memoryGb),
    row("PostgreSQL grows, GB a year", ({ postgresGbPerYear }) => postgresGbPerYear),
    "",
  ].join("\n");
}
