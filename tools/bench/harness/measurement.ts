import type { Histogram } from "./histogram.ts";

/**
 * One way, size or round of a scenario, measured: one form for all of them, so that medians of runs, ratios of revisions, tables and plots need to
 * know nothing of the scenario.
 */
export type Measurement = {
  /** Unique within the scenario, and the same in every run. */
  name: string;
  /** What is measured, what others do in its place, or the most that this machine can do. */
  role: "ours" | "rival" | "floor";
  /** Of a rival or a floor: the measurement that it is held against. */
  against?: string;
  /** What is counted: "purchase", "search". */
  operation: string;
  operations: number;
  seconds: number;
  perSecond: number;
  /** In milliseconds. */
  times?: Histogram;
  /** Operations that ended otherwise than they should. */
  errors: number;
  /** CPU-milliseconds an operation, by process. */
  cpuMs: Record<string, number>;
  /** The most memory a process has held since its start, in MB. */
  peakMb: Record<string, number>;
  /** Of all searches the share (0 to 1) that a layer has answered. */
  hits?: Record<string, number>;
  /** What only this scenario has, with its unit in the name. */
  more?: Record<string, number>;
  note?: string;
};

/**
 * What a figure has to be; `of`: the measurement's name, or a pattern for several; `figure`: its path, as in "times.p99"; `ifMeasured`: of something that
 * a run may leave out.
 */
export type Bound = {
  of: string | RegExp;
  figure: string;
  most?: number;
  least?: number;
  ifMeasured?: boolean;
};

/** What falls short, in words. What was not measured falls short too. */
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
        return [
          `${measurement.name}: ${figure} is ${short(value)}, of ${value > most ? `${most} at most` : `${least} at least`}`,
        ];
      });
    },
  );
}

/** A number of a measurement by its path. */
export function figureOf(measurement: Measurement, path: string): number | undefined {
  let value: unknown = measurement;
  for (const name of path.split("."))
    value = (value as Record<string, unknown> | undefined)?.[name];
  return typeof value === "number" && !Number.isNaN(value) ? value : undefined;
}

/** Of several runs of a scenario the median of every number, measurement by measurement; those that some run lacks are left out. */
export function medians(runs: readonly (readonly Measurement[])[]): Measurement[] {
  const [first = []] = runs;
  return first.flatMap((measurement) => {
    const same = runs.flatMap((run) => run.find(({ name }) => name === measurement.name) ?? []);
    return same.length === runs.length ? [medianOf(same) as Measurement] : [];
  });
}

/** Numbers by their median, objects field by field, all else as the first has it. */
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

/** Of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  return (
    ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2
  );
}

/** For people: three digits, or all before the point. */
export function short(value: number): string {
  const digits =
    Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return Number(value.toFixed(digits)).toLocaleString("en");
}
