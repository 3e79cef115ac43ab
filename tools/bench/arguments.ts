import { CONTENDERS, type Contender, isContender } from "./harness/contenders.ts";

/** How a scenario is measured. */
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
  /** File of the results; .data/bench by default. */
  out: string | undefined;
};

/** The options of `boxoffice bench`. */
export type BenchOptions = {
  seconds: number;
  runs?: number;
  buyers: number;
  looking: number;
  watching: number;
  events?: number[];
  only?: Contender[];
  profile?: boolean;
  against?: string;
  out?: string;
};

const RUNS = 1;
/** Pairs of runs: fewer say nothing of a difference. */
const PAIRS = 3;

export function benchArguments(
  scenario: string,
  { only, runs, events, profile, against, out, ...options }: BenchOptions,
): BenchArguments {
  return {
    ...options,
    scenario,
    runs: runs ?? (against === undefined ? RUNS : PAIRS),
    events,
    contenders: only ?? Object.keys(CONTENDERS).filter(isContender),
    profile: profile === true,
    against,
    out,
  };
}
