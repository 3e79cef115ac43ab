import { parseArgs } from "node:util";
import { CONTENDERS, type Contender, isContender } from "./harness/contenders.ts";
import { SCENARIOS } from "./scenarios.ts";

const WIDTH = Math.max(...Object.keys(SCENARIOS).map((name) => name.length));
export const USAGE = `npm run bench -- SCENARIO [--seconds 10] [--runs 1] [--buyers 1000] [--looking 9000] [--watching 5000] [--events 1000,100000] [--profile]
npm run bench -- SCENARIO --against REVISION [--runs 3]
npm run bench -- --write
${Object.entries(SCENARIOS)
  .map(([name, { about }]) => `  ${name.padEnd(WIDTH)}  ${about}`)
  .join("\n")}
  --runs     how often, each time with new servers; what is printed and judged are medians. With --against: pairs of runs
  --only     hot-event's contenders, separated by commas: ${Object.keys(CONTENDERS).join(", ")}
  --events   sizes of the catalogue, for search and search-plans; events on sale, for many-events
  --profile  leaves a CPU profile of the engine in .data/bench
  --against  runs an earlier revision and this one in turn, and prints ratios; fails where this one is worse in every pair
  --write    puts the last results into docs/benchmarks.md and docs/benchmarks/*.svg`;

export type BenchArguments = {
  scenario: string;
  seconds: number;
  runs: number;
  buyers: number;
  looking: number;
  watching: number;
  events: number[] | undefined;
  contenders: Contender[];
  profile: boolean;
  against: string | undefined;
  /** Where the results go instead of .data/bench. */
  out: string | undefined;
};

/** Undefined where the command line is not one; `write` stands alone. */
export function readArguments(words: string[]): BenchArguments | "write" | undefined {
  const text = { type: "string" } as const;
  let parsed;
  try {
    parsed = parseArgs({
      args: words,
      allowPositionals: true,
      options: {
        seconds: text,
        runs: text,
        buyers: text,
        looking: text,
        watching: text,
        events: text,
        only: text,
        against: text,
        out: text,
        profile: { type: "boolean" },
        write: { type: "boolean" },
      },
    });
  } catch {
    return undefined;
  }
  const { values, positionals } = parsed;
  const [scenario = ""] = positionals;
  if (values.write === true && positionals.length === 0) return "write";
  let sound = positionals.length === 1 && Object.hasOwn(SCENARIOS, scenario);
  const whole = (word: string | undefined, byDefault: number, most: number): number => {
    const number = word === undefined ? byDefault : Number(word);
    sound &&= Number.isInteger(number) && number >= 1 && number <= most;
    return number;
  };
  const contenders = (values.only ?? Object.keys(CONTENDERS).join(",")).split(",");
  const read: BenchArguments = {
    scenario,
    seconds: whole(values.seconds, 10, 600),
    runs: whole(values.runs, values.against === undefined ? 1 : 3, 50),
    buyers: whole(values.buyers, 1_000, 20_000),
    looking: whole(values.looking, 9_000, 20_000),
    watching: whole(values.watching, 5_000, 9_000),
    events: values.events?.split(",").map((word) => whole(word, 0, 2_000_000)),
    contenders: contenders.filter(isContender),
    profile: values.profile === true,
    against: values.against,
    out: values.out,
  };
  return sound && read.contenders.length === contenders.length ? read : undefined;
}
