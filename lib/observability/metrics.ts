import { collectDefaultMetrics, Registry } from "prom-client";
import { withTimeout } from "../concurrency/clock.ts";

/**
 * A number that only grows. The counting code keeps a reference: an increment is one addition,
 * whatever the number of labels.
 */
export type Cell = { value: number };

export type Counters = {
  /**
   * Returns the number for these label values, in the order of their names. Created at first use.
   */
  child(...values: string[]): Cell;
};

export type Sample = { labels?: Readonly<Record<string, string>>; value: number };

/** Buckets of response times in seconds, up to the engine's limit of 2.5 s. */
export const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** The metrics of a node for Prometheus. Values are computed at the scrape. */
export type Metrics = {
  /** Names end in _total. */
  counters(name: string, help: string, labelNames?: readonly string[]): Counters;
  histogram(name: string, help: string, bounds: readonly number[]): Histogram;
  /** Makes one histogram per value of one label. */
  histograms(
    name: string,
    help: string,
    bounds: readonly number[],
    labelName: string,
  ): (value: string) => Histogram;
  /**
   * Reads values at each scrape. A reading that rejects, or takes longer than two seconds, leaves
   * its metric out: a frozen server must not silence the node.
   */
  read(
    name: string,
    help: string,
    kind: "gauge" | "counter",
    samples: () => readonly Sample[] | Promise<readonly Sample[]>,
  ): void;
  /** Renders Prometheus' text format. Concurrent callers share one reading. Never rejects. */
  text(): Promise<string>;
};

/** Counts by bounds in a plain array: an observation is a short search and three additions. */
export class Histogram {
  readonly bounds: readonly number[];
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] ?? 0)) index += 1;
    counts[index] = (counts[index] ?? 0) + 1;
    this.sum += value;
  }
}

/** Far below the 10 s after which Prometheus gives a scrape up. */
const READING_TIMEOUT_MS = 2_000;

type Family = {
  name: string;
  help: string;
  kind: "counter" | "gauge" | "histogram";
  lines: () => string[] | Promise<string[]>;
};

/**
 * Creates the registry. prom-client reports the process itself (memory, event loop, garbage
 * collection); our own metrics are counted here.
 */
export function createMetrics(): Metrics {
  const process = new Registry();
  collectDefaultMetrics({ register: process });
  const families: Family[] = [];
  let reading: Promise<string> | undefined;

  const add = (family: Family): void => {
    if (families.some(({ name }) => name === family.name))
      throw new Error(`There is a metric ${family.name} already`);
    families.push(family);
  };
  const textOf = async ({ name, help, kind, lines }: Family): Promise<string> => {
    const unread = `# ${name} cannot be read now`;
    try {
      const read = await withTimeout(Promise.resolve(lines()), READING_TIMEOUT_MS);
      if (read === undefined) return unread;
      return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, ...read].join("\n");
    } catch {
      return unread;
    }
  };
  const readAll = async (): Promise<string> => {
    const ours = await Promise.all(families.map(textOf));
    return `${ours.join("\n")}\n${await process.metrics()}`;
  };

  return {
    counters(name, help, labelNames = []) {
      const cells = new Map<string, Cell>();
      const lines = (): string[] =>
        [...cells].map(([labels, { value }]) => `${name}${labels} ${value}`);
      add({ name, help, kind: "counter", lines });
      return {
        child(...values) {
          const labels = labelText(labelNames.map((label, index) => [label, values[index] ?? ""]));
          let child = cells.get(labels);
          if (child === undefined) cells.set(labels, (child = { value: 0 }));
          return child;
        },
      };
    },
    histogram(name, help, bounds) {
      const histogram = new Histogram(bounds);
      add({ name, help, kind: "histogram", lines: () => histogramLines(name, histogram, []) });
      return histogram;
    },
    histograms(name, help, bounds, labelName) {
      const all = new Map<string, Histogram>();
      const lines = (): string[] =>
        [...all].flatMap(([value, histogram]) =>
          histogramLines(name, histogram, [[labelName, value]]),
        );
      add({ name, help, kind: "histogram", lines });
      return (value) => {
        let histogram = all.get(value);
        if (histogram === undefined) all.set(value, (histogram = new Histogram(bounds)));
        return histogram;
      };
    },
    read(name, help, kind, samples) {
      const lines = async (): Promise<string[]> =>
        (await samples()).map(
          ({ labels = {}, value }) => `${name}${labelText(Object.entries(labels))} ${value}`,
        );
      add({ name, help, kind, lines });
    },
    text() {
      reading ??= readAll().finally(() => (reading = undefined));
      return reading;
    },
  };
}

/**
 * Buckets are cumulative in the text, not in memory, where an observation would have to touch all
 * of them.
 */
function histogramLines(
  name: string,
  { bounds, counts, sum }: Histogram,
  labels: [string, string][],
): string[] {
  let total = 0;
  const buckets = [...bounds.map(String), "+Inf"].map((bound, index) => {
    total += counts[index] ?? 0;
    return `${name}_bucket${labelText([...labels, ["le", bound]])} ${total}`;
  });
  return [
    ...buckets,
    `${name}_sum${labelText(labels)} ${sum}`,
    `${name}_count${labelText(labels)} ${total}`,
  ];
}

function labelText(labels: readonly (readonly [string, string])[]): string {
  if (labels.length === 0) return "";
  const escaped = (value: string): string =>
    value.replaceAll(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
  return `{${labels.map(([name, value]) => `${name}="${escaped(value)}"`).join(",")}}`;
}
