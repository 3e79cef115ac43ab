import { runMutants } from "../../tools/chaos/mutant-run.ts";
import { CHAOS_MUTANTS } from "../../tools/chaos/mutants.ts";
import { runToEnd } from "../../tools/process/run-to-exit.ts";
import { secondsSince } from "../../tools/dev-servers/server-problem.ts";

const USAGE = `npm run chaos-mutants [-- WORD…]
Plants each mistake of tools/chaos/mutants.ts in the nodes of a cluster, and plays the part of a fault that must show it: the run must be red for the
right invariant with the mistake, and green without. WORD: a part of what is wrong, or the id of a fault.`;

const began = performance.now();
const report = (line: string): void => console.log(`chaos-mutants ${secondsSince(began)}: ${line}`);
const abort = new AbortController();

/** Answers the exit code: 1 where a mistake was not seen, or something was red without one. */
async function main(words: readonly string[]): Promise<number> {
  const wanted = CHAOS_MUTANTS.filter(
    ({ mistake, shownBy }) =>
      words.length === 0 || words.some((word) => shownBy.id === word || mistake.includes(word)),
  );
  if (wanted.length === 0) {
    console.error(USAGE);
    return 1;
  }
  const wrong = await runMutants(wanted, { report, seed: 1, abort: abort.signal });
  for (const line of wrong) console.error(`\n${line}`);
  report(
    wrong.length === 0
      ? `${wanted.length} mistakes, each seen`
      : `${wrong.length} not as it should be, of ${wanted.length} mistakes`,
  );
  return wrong.length === 0 ? 0 : 1;
}

runToEnd(main, abort);
