import type { EventStatus } from "../../../domain/event-record.ts";

/** Channels with losses and delays: calls and answers of the bus, statements and their results. */
export const CHANNELS = ["calls", "answers", "statements", "results"] as const;
export type Channel = (typeof CHANNELS)[number];

/** What customers do. Numbers start at 0. The same customer and key again is a retry. */
export type Demand =
  | {
      type: "buy";
      atMs: number;
      customer: number;
      event: number;
      key: number;
      quantity: number;
      twice: boolean;
    }
  | { type: "cancel"; atMs: number; customer: number; nth: number; twice: boolean };

/** An import of an event's data. */
export type EventImport = {
  total: number;
  status: EventStatus;
  /** Time from the import to the new start. Null: the start stays. */
  startsInMs: number | null;
  takesMs: number;
  nodesNotified: boolean;
};

/** What fails. Nodes are counted among the running ones, in order of their start. */
export type Fault =
  | { type: "freeze"; atMs: number; node: number; forMs: number }
  | { type: "kill"; atMs: number; node: number }
  | { type: "kill-after-commit"; atMs: number }
  | { type: "leave"; atMs: number; node: number }
  | { type: "hide"; atMs: number; viewer: number; node: number; forMs: number }
  | ({ type: "import"; atMs: number; event: number } & EventImport)
  | { type: "backup"; atMs: number }
  | { type: "restore"; atMs: number }
  | { type: "lose"; atMs: number; channel: Channel; forMs: number }
  | { type: "delay"; atMs: number; channel: Channel; forMs: number; byMs: number }
  | { type: "slow-commits"; atMs: number; forMs: number; byMs: number; rowMs: number }
  | {
      type: "locks";
      atMs: number;
      server: number;
      what: "down" | "forget" | "rollback";
      forMs: number;
    }
  | { type: "redis"; atMs: number; what: "down" | "freeze" | "rollback" | "flush"; forMs: number }
  | { type: "queue"; atMs: number; what: "down" | "lose" | "repeat" | "shuffle"; forMs: number }
  | {
      type: "ledger";
      atMs: number;
      node: number;
      what: "kill" | "kill-after-commit" | "freeze";
      forMs: number;
    }
  | { type: "refuse-booking"; atMs: number; event: number; forMs: number };

/** A complete run as data. `seed` draws small delays, the percentages losses and long delays. */
export type History = {
  seed: number;
  totals: number[];
  /** Start of the first event, which ends its sale. Null: after the history. */
  startsAtMs: number | null;
  /** How far the clock of each node is ahead of the node's before it. */
  skewMs: number;
  lossPercent: number;
  latePercent: number;
  demands: Demand[];
  faults: Fault[];
};

/** Describes a history, one line per step, in order of time. */
export function describeHistory(history: History): string {
  const { seed, totals, startsAtMs, skewMs, lossPercent, latePercent } = history;
  const steps = [...history.demands, ...history.faults].sort((a, b) => a.atMs - b.atMs);
  const first = startsAtMs === null ? "" : `; the first begins at ${startsAtMs} ms`;
  const losses = `${lossPercent} % lost, ${latePercent} % late, clocks ${skewMs} ms apart`;
  return [
    `events of ${totals.join(" and ")} places${first}; ${losses}; small delays of seed ${seed}`,
    ...steps.map((step) => `${String(step.atMs).padStart(6)} ms  ${describeStep(step)}`),
  ].join("\n");
}

function describeStep(step: Demand | Fault): string {
  switch (step.type) {
    case "buy": {
      const { customer, quantity, event, key } = step;
      return `customer ${customer} buys ${quantity} of event ${event} under key ${key}${twice(step)}`;
    }
    case "cancel":
      return `customer ${step.customer} cancels a ticket (${step.nth})${twice(step)}`;
    case "import": {
      const { event, total, status, startsInMs, takesMs, nodesNotified } = step;
      const notified = nodesNotified ? "" : ", no node is notified";
      const start = startsInMs === null ? "" : ` beginning ${startsInMs} ms later,`;
      const change = `${total} places, ${status},${start}`;
      return `an import gives event ${event} ${change} in ${takesMs} ms${notified}`;
    }
    default: {
      return `${step.type}${Object.entries(step)
        .filter(([name]) => name !== "type" && name !== "atMs")
        .map(([name, value]) => ` ${name} ${value}`)
        .join(",")}`;
    }
  }
}

function twice(demand: Demand): string {
  return demand.twice ? ", twice at the same time" : "";
}
