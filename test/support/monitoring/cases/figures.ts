import type { AlertCase } from "../rules.ts";

/** Figures by series, in promtool's notation. */
export type Figures = Record<string, string>;

export const constant = (value: number, minutes = 60): string => `${value}x${minutes}`;
/** Zero for five minutes, then a jump. */
export const JUMP = "0x5 3x60";

/** An alert on one series that has `bad` figures, or good ones. `labels`: those of the alert. */
export function onSeries(
  alert: string,
  atMinutes: number,
  series: string,
  [bad, good]: readonly [bad: string, good: string],
  labels: Record<string, string> = labelsOf(series),
): AlertCase {
  return { alert, atMinutes, labels, series: { [series]: bad }, quiet: { [series]: good } };
}

/** The labels of a series as promtool writes it. */
export function labelsOf(series: string): Record<string, string> {
  return Object.fromEntries(
    [...series.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]),
  );
}
