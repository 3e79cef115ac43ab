import { revisionLine } from "../documents/revision.ts";

/**
 * CPU milliseconds of each kind of node, as deployed: the bus is included. `ledgerSaleMs` is the
 * booking. `postgresSaleMs` is PostgreSQL's, with the booking.
 */
export type Costs = {
  gatewaySaleMs: number;
  purchasingSaleMs: number;
  ledgerSaleMs: number;
  postgresSaleMs: number;
  gatewayViewMs: number;
  catalogViewMs: number;
};

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
  ledgers: number;
  catalog: number;
  /** Sales of one event: one worker, which is one node's. */
  salesOfOneEvent: number;
  postgresCores: number;
  memoryGb: number;
  postgresGbPerYear: number;
};

export function planFor({ dailyUsers, concurrentOperations }: Demand, costs: Costs): Plan {
  const perSecond = concurrentOperations / RESPONSE_S;
  const salesPerSecond = perSecond * PURCHASE_SHARE;
  const viewsPerSecond = perSecond - salesPerSecond;
  const busy = (cpuMsPerSecond: number): number => cpuMsPerSecond / 1_000 / UTILIZATION_MAX;
  const nodes = (cpuMsPerSecond: number): number =>
    Math.max(NODES_MIN, Math.ceil(busy(cpuMsPerSecond)));
  const gateways = nodes(
    viewsPerSecond * costs.gatewayViewMs + salesPerSecond * costs.gatewaySaleMs,
  );
  const purchasing = nodes(salesPerSecond * costs.purchasingSaleMs);
  const ledgers = nodes(salesPerSecond * costs.ledgerSaleMs);
  const catalog = nodes(viewsPerSecond * costs.catalogViewMs);
  const tickets = dailyUsers * TICKETS_PER_DAILY_USER;
  return {
    viewsPerSecond,
    salesPerSecond,
    gateways,
    purchasing,
    ledgers,
    catalog,
    salesOfOneEvent: (1_000 * UTILIZATION_MAX) / costs.purchasingSaleMs,
    postgresCores: busy(salesPerSecond * costs.postgresSaleMs),
    // With two nodes of auth.
    memoryGb: ((gateways + purchasing + ledgers + catalog + NODES_MIN) * NODE_MB) / 1_024,
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
 * Reads the costs from results of benchmarks. A sale costs what one event's costs in the most
 * expensive layout of `nodes`, at each end. A view costs what one process of each service costs in
 * `rush` without think time, less its sales. Leaves out what was not measured.
 */
export function costsOf({ nodes, rush }: { nodes: unknown; rush: unknown }): Partial<Costs> {
  const layouts = measurementsOf(nodes)
    .filter(({ name, cpuMs }) => name.endsWith("one event") && cpuMs.api !== undefined)
    .map(({ cpuMs }) => cpuMs);
  const highest = (kind: string): number => Math.max(...layouts.map((cpuMs) => cpuMs[kind] ?? 0));
  const gatewaySaleMs = highest("api");
  const rounds = measurementsOf(rush).filter(({ name }) => name.startsWith(RUSH_AS_DEPLOYED));
  const [views, sales] = ["search", "purchase"].map((kind) =>
    rounds.find(({ operation }) => operation === kind),
  );
  return {
    ...(layouts.length > 0 && {
      gatewaySaleMs,
      purchasingSaleMs: highest("purchasing"),
      ledgerSaleMs: highest("ledger"),
      postgresSaleMs: highest("postgres"),
    }),
    // Both measurements of a round have the same figures: CPU per operation of any kind.
    ...(layouts.length > 0 &&
      views !== undefined &&
      sales !== undefined && {
        gatewayViewMs:
          ((views.cpuMs.api ?? 0) * (views.operations + sales.operations) -
            gatewaySaleMs * sales.operations) /
          views.operations,
        catalogViewMs:
          ((views.cpuMs.catalog ?? 0) * (views.operations + sales.operations)) / views.operations,
      }),
  };
}

function measurementsOf(results: unknown): NonNullable<Results["measurements"]> {
  return (results as Results | undefined)?.measurements ?? [];
}

const RUSH_AS_DEPLOYED = "one of each, without think time";

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
  const plans = DEMANDS.map((demand) => planFor(demand, costs));
  const round = (value: number): string =>
    value < 10 && !Number.isInteger(value)
      ? value.toFixed(1)
      : Math.round(value).toLocaleString("en");
  const row = (what: string, of: (plan: Plan) => number): string =>
    `| ${what} | ${plans.map((plan) => round(of(plan))).join(" | ")} |`;
  return [
    revisionLine("npx boxoffice scaling", run),
    `CPU milliseconds of a purchase: ${costs.gatewaySaleMs.toFixed(2)} at the gateway, ` +
      `${costs.purchasingSaleMs.toFixed(2)} in purchasing, ${costs.ledgerSaleMs.toFixed(2)} in ` +
      `the ledger,\n${costs.postgresSaleMs.toFixed(2)} in PostgreSQL. Of a view: ` +
      `${costs.gatewayViewMs.toFixed(2)} at the gateway, ${costs.catalogViewMs.toFixed(2)} in ` +
      "the catalog.",
    "",
    `| | ${DEMANDS.map(({ name }) => name).join(" | ")} |`,
    "|---|---|---|---|",
    row("views per second at the peak", ({ viewsPerSecond }) => viewsPerSecond),
    row("purchases per second at the peak", ({ salesPerSecond }) => salesPerSecond),
    row("gateways", ({ gateways }) => gateways),
    row("purchasing nodes", ({ purchasing }) => purchasing),
    row("ledgers", ({ ledgers }) => ledgers),
    row("catalog nodes", ({ catalog }) => catalog),
    row("cores of PostgreSQL for the sales", ({ postgresCores }) => postgresCores),
    row("purchases of one event per second, at most", ({ salesOfOneEvent }) => salesOfOneEvent),
    row("memory of all nodes, GB", ({ memoryGb }) => memoryGb),
    row("growth of PostgreSQL, GB per year", ({ postgresGbPerYear }) => postgresGbPerYear),
    "",
  ].join("\n");
}
