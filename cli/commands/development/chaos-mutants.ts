import type { Command } from "commander";
import { openMutantWorld, runMutants } from "../../../tools/chaos/mutant-run.ts";
import { CHAOS_MUTANTS } from "../../../tools/chaos/mutants.ts";
import { secondsSince } from "../../../tools/dev-servers/server-problem.ts";
import { runToExit } from "../../../tools/process/run-to-exit.ts";
import { examples, exiting } from "../../options.ts";

const startedMs = performance.now();
const report = (line: string): void =>
  console.log(`chaos mutants ${secondsSince(startedMs)}: ${line}`);

/** `boxoffice chaos mutants`. */
export function defineMutants(command: Command): void {
  command
    .summary("plant mistakes that the faults must show")
    .description(
      "Plants each mistake of tools/chaos/mutants.ts in the nodes of a cluster, and plays the fault " +
        "that must show it: the run must break the right invariant with the mistake, and none " +
        "without.",
    )
    .argument("[word...]", "part of a mistake's description, or the id of a fault")
    .addHelpText("after", examples(["chaos mutants F1", "the mistakes that F1 shows"]))
    .action(
      exiting((words: string[]) => {
        const wanted = CHAOS_MUTANTS.filter(
          ({ mistake, shownBy }) =>
            words.length === 0 ||
            words.some((word) => shownBy.id === word || mistake.includes(word)),
        );
        if (wanted.length === 0) command.error(`error: no mistake matches ${words.join(" ")}`);
        return runToExit((abort) => plant(wanted, abort));
      }),
    );
}

async function plant(wanted: typeof CHAOS_MUTANTS, abort: AbortSignal): Promise<number> {
  const world = await openMutantWorld({ report, abort });
  const failures = await runMutants(world, wanted, { report, seed: 1, abort }).finally(() =>
    world.close(),
  );
  for (const line of failures) console.error(`\n${line}`);
  report(
    failures.length === 0
      ? `${wanted.length} mistakes, each shown`
      : `${failures.length} of ${wanted.length} mistakes were not shown, or failed without a mistake`,
  );
  return failures.length === 0 ? 0 : 1;
}
