import type { Histogram } from "./histogram.ts";

/**
 * Result of one contender, size or round of a scenario. All scenarios use this form, so that
 * medians, ratios, tables and plots know nothing of the scenario.
 */
export type Measurement = {
  /** Unique within the scenario, and the same in every run. */
  name: string;
  /** Ours, another way to do the same, or the limit of this machine. */
  role: "ours" | "rival" | "floor";
  /** Of a rival or a floor: the measurement it is compared with. */
  against?: string;
  /** The counted operation: "purchase", "search". */
  operation: string;
  operations: number;
  seconds: number;
  perSecond: number;
  /** Milliseconds. */
  times?: Histogram;
  /** Operations with a wrong result or none. */
  errors: number;
  /** CPU milliseconds per operation, by process. */
  cpuMs: Record<string, number>;
  /** Peak memory of a process since its start, in MB. */
  peakMb: Record<string, number>;
  /** Share (0 to 1) of all searches that a layer answered. */
  hits?: Record<string, number>;
  /** Figures of this scenario only, with the unit in the name. */
  more?: Record<string, number>;
  note?: string;
};

/**
 * Bound of a figure. `of`: name of the measurement, or a pattern. `figure`: its path, as
 * "times.p99". `ifMeasured`: a run may lack it.
 */
export type Bound = {
  of: string | RegExp;
  figure: string;
  most?: number;
  least?: number;
  ifMeasured?: boolean;
};

/** Returns a line for each missed bound. A figure that was not measured misses its bound. */
export function faultsOf(measurements: readonly Measurement[], bounds: readonly Bound[]): string[] {
  return bounds.flatMap(
    ({ of, figure, most = Infinity, least = -Infinity, ifMeasured = false }) => {
      const meant = measurements.filter(({ name }) =>
        typeof of === "string" ? name === of : of.test(name),
      );
      if (meant.length === 0) return ifMeasured ? [] : [`${String(of)} was not measured`];
      return meant.flatMap((measurement) => {
        const value = figureOf(measurement, figure);
        if (value === undefined) return [`${measurement.name}: ${figure} was not measured`];
        if (value >= least && value <= most) return [];
        const bound = value > most ? `${most} at most` : `${least} at least`;
        return [`${measurement.name}: ${figure} is ${short(value)}, of ${bound}`];
      });
    },
  );
}

/** Reads a figure by its path. */
export function figureOf(measurement: Measurement, path: string): number | undefined {
  let value: unknown = measurement;
  for (const name of path.split("."))
    value = (value as Record<string, unknown> | undefined)?.[name];
  return typeof value === "number" && !Number.isNaN(value) ? value : undefined;
}

/**
 * Returns the median of every figure over several runs. Leaves out measurements that a run lacks.
 */
export function medians(runs: readonly (readonly Measurement[])[]): Measurement[] {
  const [first = []] = runs;
  return first.flatMap((measurement) => {
    const same = runs.flatMap((run) => run.find(({ name }) => name === measurement.name) ?? []);
    return same.length === runs.length ? [medianOf(same) as Measurement] : [];
  });
}

/** Numbers by their median, objects by field, other values from the first run. */
function medianOf(values: readonly unknown[]): unknown {
  const [first] = values;
  if (typeof first === "number") return median(values.filter((value) => typeof value === "number"));
  if (typeof first !== "object" || first === null) return first;
  const names = Object.keys(first);
  return Object.fromEntries(
    names.map((name) => [
      name,
      medianOf(values.map((value) => (value as Record<string, unknown>)[name])),
    ]),
  );
}

/** The mean of the two middle values if their number is even. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  return (
    ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2
  );
}

/** Formats with three digits, or with all digits before the point. */
export function short(value: number): string {
  const digits =
    Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return Number(value.toFixed(digits)).toLocaleString("en");
}
