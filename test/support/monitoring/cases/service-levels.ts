import type { AlertCase } from "../rules.ts";
import { constant, type Figures } from "./figures.ts";

/** Reads a minute, and how many of them are bad. */
const reads = (minutes: number, all: number, bad: number): Figures => ({
  'boxoffice_slo_requests_total{slo="reads",instance="a"}': `0+${all}x${minutes}`,
  'boxoffice_slo_bad_requests_total{slo="reads",instance="a"}': `0+${bad}x${minutes}`,
});
const SECONDS = "boxoffice_purchase_duration_seconds_bucket";

export const SERVICE_LEVEL_CASES: AlertCase[] = [
  {
    alert: "ErrorBudgetBurnsFast",
    atMinutes: 90,
    labels: { slo: "reads" },
    series: reads(100, 1_000, 20),
    quiet: reads(100, 1_000, 10),
  },
  {
    // Eight failures of a quiet night's few requests wake no one.
    alert: "ErrorBudgetBurnsFast",
    atMinutes: 90,
    labels: { slo: "reads" },
    series: reads(100, 10, 1),
    quiet: {
      'boxoffice_slo_requests_total{slo="reads",instance="a"}': "0+1x100",
      'boxoffice_slo_bad_requests_total{slo="reads",instance="a"}': "0x69 0+0.5x16 8x20",
    },
  },
  {
    alert: "ErrorBudgetBurnsSlowly",
    atMinutes: 400,
    labels: { slo: "reads" },
    series: reads(420, 1_000, 8),
    quiet: reads(420, 1_000, 5),
  },
  {
    alert: "ErrorBudgetRunsOut",
    atMinutes: 600,
    labels: { slo: "reads" },
    series: reads(620, 10_000, 20),
    quiet: reads(620, 10_000, 9),
  },
  {
    alert: "PurchasesSlow",
    atMinutes: 20,
    series: {
      [`${SECONDS}{le="1"}`]: "0+90x60",
      [`${SECONDS}{le="2.5"}`]: "0+100x60",
      [`${SECONDS}{le="+Inf"}`]: "0+100x60",
    },
    quiet: { [`${SECONDS}{le="1"}`]: "0+100x60", [`${SECONDS}{le="+Inf"}`]: "0+100x60" },
  },
  {
    alert: "SearchesStale",
    atMinutes: 20,
    labels: { instance: "a" },
    series: { 'boxoffice_gateway_answers_total{layer="stale",instance="a"}': "0+5x60" },
    quiet: {
      'boxoffice_gateway_answers_total{layer="stale",instance="a"}': constant(9),
      'boxoffice_gateway_answers_total{layer="kept",instance="a"}': "0+5x60",
    },
  },
];
