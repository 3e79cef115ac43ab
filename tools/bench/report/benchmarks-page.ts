import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../testing/static-checks.ts";
import { faultsOf, figureOf, type Measurement } from "../harness/measurement.ts";
import { type Bar, barChart, type Curve, curveChart, type Spread, timesChart } from "./plots.ts";
import { readResults, type Results } from "./results.ts";
import { SCENARIOS } from "../scenarios.ts";
import { markdownOf } from "./table.ts";

const PAGE = join(ROOT, "docs", "benchmarks.md");
const PLOTS = join(ROOT, "docs", "benchmarks");

type Plot = { file: string; draw: (measurements: readonly Measurement[]) => string };

const bars = (measurements: readonly Measurement[]): Bar[] =>
  measurements.map(({ name, perSecond, role }) => ({ label: name, value: perSecond, role }));
const spreads = (measurements: readonly Measurement[]): Spread[] =>
  measurements.flatMap(({ name, times, role }) =>
    times === undefined ? [] : [{ label: name, role, ...times }],
  );
const halfASecond = { value: 500, label: "promised: p99 500 ms" };

/** The plots of each scenario; those that are not here have a table only. */
const PLOTTED: Readonly<Record<string, readonly Plot[]>> = {
  "hot-event": [
    {
      file: "hot-event.svg",
      draw: (all) =>
        barChart(
          "Durable purchases a second on one event, 1,000 buyers",
          bars(all),
          promised(6_000),
        ),
    },
    {
      file: "hot-event-times.svg",
      draw: (all) => timesChart("A purchase on one event, in ms", spreads(all), halfASecond),
    },
  ],
  "many-events": [
    {
      file: "many-events.svg",
      draw: (all) =>
        curveChart("CPU ms of engine and PostgreSQL a purchase", "events on sale", [
          curveOf("worker", all),
          curveOf("row-lock", all),
        ]),
    },
  ],
  "sold-already": [
    {
      file: "sold-already.svg",
      draw: (all) => barChart("Durable purchases a second, by tickets sold before", bars(all)),
    },
  ],
  "sold-out": [
    {
      file: "sold-out.svg",
      draw: (all) =>
        timesChart("A refusal of an event that is sold out, in ms", spreads(all), halfASecond),
    },
  ],
  rush: [
    {
      file: "rush.svg",
      draw: (all) => timesChart("A rush of 10,000 people, in ms", spreads(all), halfASecond),
    },
  ],
  "cached-search": [
    {
      file: "cached-search.svg",
      draw: (all) => barChart("Answers a second to one popular question", bars(all)),
    },
  ],
  search: [
    {
      file: "search.svg",
      draw: (all) =>
        timesChart(
          "A search by the layer that answers, in ms",
          spreads(all.filter(({ name }) => name.includes("mix,"))),
          {
            value: 50,
            label: "promised on a miss: p99 50 ms",
          },
        ),
    },
  ],
  availability: [
    {
      file: "availability.svg",
      draw: (all) =>
        timesChart("A sale is seen by 5,000 who watch, in ms", spreads(all), halfASecond),
    },
  ],
};

function promised(value: number): { value: number; label: string } {
  return { value, label: `promised: ${value.toLocaleString("en")}` };
}

function curveOf(contender: string, all: readonly Measurement[]): Curve {
  const points = all
    .filter(({ name }) => name.startsWith(`${contender},`))
    .map((one): [number, number] => [
      figureOf(one, "more.events") ?? 1,
      figureOf(one, "more.engine + PostgreSQL CPU ms") ?? 0,
    ]);
  return {
    label: contender === "worker" ? "the worker" : "a row lock",
    role: contender === "worker" ? "ours" : "rival",
    points,
  };
}

/** Puts the tables of all scenarios that were measured between their marks in docs/benchmarks.md, and their plots beside it. The rest stays as it is. */
export function writePage(report: (line: string) => void): void {
  mkdirSync(PLOTS, { recursive: true });
  let page = readFileSync(PAGE, "utf8");
  for (const scenario of Object.keys(SCENARIOS)) {
    const results = readResults(scenario);
    if (results === undefined) continue;
    for (const { file, draw } of PLOTTED[scenario] ?? [])
      writeFileSync(join(PLOTS, file), draw(results.measurements));
    const begin = `<!-- from npm run bench -- ${scenario} -->\n`;
    const [before = "", rest] = page.split(begin);
    if (rest === undefined) throw new Error(`docs/benchmarks.md has no mark ${begin}`);
    page = `${before}${begin}${sectionOf(results)}${rest.slice(Math.max(0, rest.indexOf("<!-- end -->")))}`;
    report(`${scenario}, measured ${results.at}`);
  }
  writeFileSync(PAGE, page);
}

/** Hard cases of a search are too many for a page: the slowest stands for them. */
export function sectionOf({
  scenario,
  at,
  revision,
  machine,
  node,
  options,
  measurements,
}: Results): string {
  const faults = faultsOf(measurements, SCENARIOS[scenario]?.bounds ?? []);
  const shown = measurements.filter(
    ({ name }) => !name.includes(": case, ") || isSlowest(name, measurements),
  );
  const plots = (PLOTTED[scenario] ?? [])
    .map(({ file }) => `![${file.replace(".svg", "")}](benchmarks/${file})\n\n`)
    .join("");
  const runs = options.runs === 1 ? "one run" : `medians of ${options.runs} runs`;
  const short = faults.length === 0 ? "" : `\nFell short: ${faults.join("; ")}.\n`;
  return `${plots}${at.slice(0, 10)}, revision ${revision}, ${machine}, Node ${node}; ${options.seconds} s, ${runs}.\n\n${markdownOf(shown)}${short}`;
}

function isSlowest(name: string, measurements: readonly Measurement[]): boolean {
  const size = name.split(":")[0] ?? "";
  const cases = measurements.filter((one) => one.name.startsWith(`${size}: case, `));
  return cases.every(
    (other) =>
      (figureOf(other, "times.p99") ?? 0) <=
      (figureOf(cases.find((one) => one.name === name) ?? other, "times.p99") ?? 0),
  );
}
