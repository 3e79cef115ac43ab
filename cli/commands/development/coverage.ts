import type { Command } from "commander";
import { measureCoverage } from "../../../tools/coverage/request-coverage.ts";
import { examples, exiting } from "../../options.ts";

export function define(command: Command): void {
  command
    .description(
      "Starts an engine on servers of its own and prints the files and the number of functions " +
        "that run for a purchase, a repeated cached search and a list of tickets. Exit code 1 " +
        "where a request runs through more files than its bound.",
    )
    .option("--functions", "print the functions of each file")
    .option("--write", "write docs/request-coverage.md")
    .addHelpText("after", examples(["coverage --functions", "prints each file's functions"]))
    .action(exiting(measureCoverage));
}
