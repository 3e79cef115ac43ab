import { type Measurement, short } from "../harness/measurement.ts";

/**
 * Rows of a scenario's table as text. A cell is empty if the measurement lacks the figure. The
 * first column is the name.
 */
export function tableOf(measurements: readonly Measurement[]): Record<string, string>[] {
  const rows = measurements.map((measurement) => rowOf(measurement, measurements));
  const used = new Set(rows.flatMap((row) => Object.keys(row)));
  return rows.map((row) =>
    Object.fromEntries([...used].map((column) => [column, row[column] ?? ""])),
  );
}

function rowOf(measurement: Measurement, all: readonly Measurement[]): Record<string, string> {
  const {
    name,
    operation,
    perSecond,
    times,
    errors,
    cpuMs,
    peakMb,
    hits = {},
    more = {},
    against,
  } = measurement;
  const columns = (
    prefix: string,
    figures: Record<string, number>,
    unit: string,
    show = short,
  ): Record<string, string> =>
    Object.fromEntries(
      Object.entries(figures).map(([what, value]) => [`${prefix}${what}${unit}`, show(value)]),
    );
  const held = all.find((other) => other.name === against);
  const { p50, p95, p99, p999, max } = times ?? {};
  return {
    what: name,
    "a second": `${short(perSecond)} ${plural(operation)}`,
    ...(held === undefined ? {} : { "ours ÷ this": short(held.perSecond / perSecond) }),
    ...(p50 === undefined
      ? {}
      : columns("", { p50, p95, p99, "p99.9": p999, max } as Record<string, number>, " ms")),
    errors: short(errors),
    ...columns("CPU ms ", cpuMs, ""),
    ...columns("", peakMb, " peak MB", (value) => short(Math.round(value))),
    ...columns("", hits, " hits", (share) => `${short(100 * share)} %`),
    ...columns("", more, ""),
  };
}

function plural(operation: string): string {
  return operation.endsWith("s")
    ? operation
    : operation.endsWith("ch")
      ? `${operation}es`
      : `${operation}s`;
}

export function printTable(measurements: readonly Measurement[]): void {
  console.table(
    Object.fromEntries(tableOf(measurements).map(({ what = "", ...cells }) => [what, cells])),
  );
  for (const { name, note } of measurements)
    if (note !== undefined) console.log(`${name}: ${note}`);
}

/** The table as Markdown. */
export function markdownOf(measurements: readonly Measurement[]): string {
  const rows = tableOf(measurements);
  const columns = Object.keys(rows[0] ?? {});
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
  return (
    line(columns) +
    line(columns.map(() => "---")) +
    rows.map((row) => line(columns.map((column) => row[column] ?? ""))).join("")
  );
}
