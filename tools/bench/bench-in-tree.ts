import { runToExit } from "../process/run-to-exit.ts";
import type { BenchArguments } from "./arguments.ts";
import { measure } from "./bench.ts";

// Measures this tree with the arguments that it gets as JSON: compare-revisions.ts runs a copy of
// tools/bench in the tree of another revision, whose command line may differ.
process.exit(
  await runToExit((abort) => measure(JSON.parse(process.argv[2] ?? "{}") as BenchArguments, abort)),
);
