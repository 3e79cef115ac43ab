import type { Command } from "commander";
import { runStaticChecks } from "../../../tools/testing/static-checks.ts";
import { runToExit } from "../../../tools/process/run-to-exit.ts";
import { examples, exiting } from "../../options.ts";

export function define(command: Command): void {
  command
    .description(
      "Checks types, lint, format, imports and documents, as npm test does at its start.",
    )
    .addHelpText("after", examples(["check", "exit code 1 where one of them fails"]))
    .action(
      exiting(() =>
        runToExit(async (abort) => {
          const failed = await runStaticChecks(console.log, abort);
          return failed.length === 0 ? 0 : 1;
        }),
      ),
    );
}
