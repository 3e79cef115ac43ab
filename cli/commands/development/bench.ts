import { type Command, InvalidArgumentError } from "commander";
import type { BenchOptions } from "../../../tools/bench/arguments.ts";
import { ALL, runBench } from "../../../tools/bench/bench.ts";
import { CONTENDERS, isContender } from "../../../tools/bench/harness/contenders.ts";
import { SCENARIOS } from "../../../tools/bench/scenarios.ts";
import { runToExit } from "../../../tools/process/run-to-exit.ts";
import { examples, exiting, valueOf, wholeNumber } from "../../options.ts";

const EVENTS_MAX = 2_000_000;

export function define(command: Command): void {
  const scenarios = Object.entries(SCENARIOS);
  const width = Math.max(...scenarios.map(([name]) => name.length));
  const known = Object.keys(CONTENDERS).join(", ");
  command
    .description(
      "Measures a scenario: durable servers of its own, an engine in a process of its own, load " +
        "over HTTP. Prints a table and writes JSON to .data/bench. Exit code 1 where a scenario " +
        "misses its bounds.",
    )
    .argument("[scenario]", "see below; none with --write", scenarioNamed)
    .option("--seconds <count>", "length of a run", wholeNumber(1, 600), 10)
    .option("--runs <count>", "runs on fresh servers; medians count", wholeNumber(1, 50))
    .option("--buyers <count>", "connections that buy", wholeNumber(1, 20_000), 1_000)
    .option("--looking <count>", "connections that search", wholeNumber(1, 20_000), 9_000)
    .option(
      "--watching <count>",
      "connections that watch availability",
      wholeNumber(1, 9_000),
      5_000,
    )
    .option("--events <counts>", "sizes of the catalog, or events on sale, as 1000,100000", sizes)
    .option(
      "--only <names>",
      `contenders of hot-event: ${known}`,
      valueOf((text) => namesOf(text, isContender), `some of ${known}`),
    )
    .option("--profile", "leave a CPU profile of the engine in .data/bench")
    .option("--against <revision>", "run an earlier revision and this one in turn, print ratios")
    .option("--out <file>", "write the results there")
    .option("--write", "put the last results into docs/benchmarks.md and its plots")
    .addHelpText(
      "after",
      [
        "\nScenarios (all: each in turn):",
        ...scenarios.map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}`),
      ]
        .concat(
          examples(
            ["bench hot-event --runs 3", "medians of three runs"],
            ["bench rush --against HEAD~5", "compares with an earlier revision"],
          ),
        )
        .join("\n"),
    )
    .action(
      exiting((scenario: string | undefined, options: BenchOptions & { write?: boolean }) => {
        if ((options.write === true) === (scenario !== undefined))
          command.error("error: give a scenario, or --write alone");
        if (scenario === ALL && (options.out !== undefined || options.events !== undefined))
          command.error("error: all takes neither --out nor --events");
        return runToExit((abort) => runBench(scenario, options, abort));
      }),
    );
}

function scenarioNamed(text: string): string {
  if (text === ALL || Object.hasOwn(SCENARIOS, text)) return text;
  throw new InvalidArgumentError(`Known scenarios: ${Object.keys(SCENARIOS).join(", ")}.`);
}

function sizes(text: string): number[] {
  return text.split(",").map(wholeNumber(1, EVENTS_MAX));
}

function namesOf<T extends string>(
  text: string,
  isKnown: (name: string) => name is T,
): T[] | undefined {
  const names = text.split(",");
  return names.every(isKnown) ? names : undefined;
}
