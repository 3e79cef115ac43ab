/** Ways on which something can be lost or late: calls and answers on the bus, statements to PostgreSQL and their results. */
export const WAYS = ["calls", "answers", "statements", "results"] as const;
export type Way = (typeof WAYS)[number];

/** What people ask for. `who`, `event`, `gateway` are numbers from 0; `key` names a purchase of that person, so that the same again is a retry. */
export type Demand =
  | {
      type: "buy";
      atMs: number;
      who: number;
      event: number;
      key: number;
      quantity: number;
      twice: boolean;
    }
  | { type: "cancel"; atMs: number; who: number; nth: number; twice: boolean };

/** What goes wrong. Nodes are counted among those that live, in the order in which they came. */
export type Fault =
  | { type: "freeze"; atMs: number; node: number; forMs: number }
  | { type: "kill"; atMs: number; node: number }
  | { type: "kill-after-commit"; atMs: number }
  | { type: "leave"; atMs: number; node: number }
  | { type: "hide"; atMs: number; viewer: number; node: number; forMs: number }
  | { type: "import"; atMs: number; event: number; total: number; takesMs: number; heard: boolean }
  | { type: "backup"; atMs: number }
  | { type: "restore"; atMs: number }
  | { type: "lose"; atMs: number; way: Way; forMs: number }
  | { type: "delay"; atMs: number; way: Way; forMs: number; byMs: number }
  | { type: "slow-commits"; atMs: number; forMs: number; byMs: number }
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

/** A whole run as data: played twice it is the same run. `seed` draws the small delays; the percentages are losses and long delays on every way. */
export type History = {
  seed: number;
  totals: number[];
  /** When the first event begins, which ends its sale; null: after everything. */
  startsAtMs: number | null;
  lossPercent: number;
  latePercent: number;
  demands: Demand[];
  faults: Fault[];
};

/** The history as people read it, one line a step, in the order of time. */
export function describeHistory(history: History): string {
  const { seed, totals, startsAtMs, lossPercent, latePercent } = history;
  const steps = [...history.demands, ...history.faults].sort((a, b) => a.atMs - b.atMs);
  const began = startsAtMs === null ? "" : `; the first begins at ${startsAtMs} ms`;
  return [
    `events of ${totals.join(" and ")} places${began}; ${lossPercent} % lost, ${latePercent} % late; small delays of seed ${seed}`,
    ...steps.map((step) => `${String(step.atMs).padStart(6)} ms  ${wordsOf(step)}`),
  ].join("\n");
}

function wordsOf(step: Demand | Fault): string {
  switch (step.type) {
    case "buy":
      return `customer ${step.who} buys ${step.quantity} of event ${step.event} under key ${step.key}${step.twice ? ", twice at once" : ""}`;
    case "cancel":
      return `customer ${step.who} cancels a ticket (${step.nth})${step.twice ? ", twice at once" : ""}`;
    case "import":
      return `an import gives event ${step.event} ${step.total} places in ${step.takesMs} ms${step.heard ? "" : ", and no node hears of it"}`;
    default: {
      return `${step.type}${Object.entries(step)
        .filter(([name]) => name !== "type" && name !== "atMs")
        .map(([name, value]) => ` ${name} ${value}`)
        .join(",")}`;
    }
  }
}
