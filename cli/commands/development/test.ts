import type { Command } from "commander";
import { planTests, type TestOptions } from "../../../tools/testing/test-plan.ts";
import { runToExit } from "../../../tools/process/run-to-exit.ts";
import { examples, exiting } from "../../options.ts";
import { runTests } from "./test-run.ts";

export function define(command: Command): void {
  command
    .description(
      "Runs the static checks and every test, on PostgreSQL, Redis, RabbitMQ and NATS of its own. " +
        "With words, runs the files whose path has one of them, without the checks; unit tests " +
        "alone start no servers.",
    )
    .argument("[word...]", "part of a test file's path")
    .option("--name <pattern>", "run tests whose name matches this regular expression")
    .option("--inspect", "run the one file under the debugger: waits until one is attached")
    .option("--keep", "keep the servers' data, and screenshots of the pages")
    .option("--renew", "keep what the pages look like now as the pictures to compare with")
    .option("--checks", "run the static checks too, where words are given")
    .addHelpText(
      "after",
      examples(
        ["test", "all"],
        ["test ledger.int", "one file"],
        ['test ledger.int --name "books a batch"', "one test"],
        ["test browser-pixels --renew", "new pictures of the pages, for review with git diff"],
        ["test ledger.int --inspect", "then attach a debugger to 127.0.0.1:9229"],
      ),
    )
    .action(
      exiting((words: string[], options: TestOptions) => {
        const plan = planTests(words, options);
        if (plan.files.length === 0)
          command.error(`error: no test file has ${words.join(" or ")} in its path`);
        if (plan.inspect && plan.files.length > 1)
          command.error(`error: --inspect runs one file; ${plan.files.length} match`);
        return runToExit(
          (abort) => runTests(plan, abort),
          (reason) => console.log(`test: stopping (${reason})`),
        );
      }),
    );
}
