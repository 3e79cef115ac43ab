import type { Command } from "commander";
import { examples, exiting } from "../../options.ts";

export function define(command: Command): void {
  command
    .description(
      "Runs one node of an engine whose servers and schema exist. SERVICES says which services it " +
        "runs. SIGTERM lets calls in flight finish, then exits with 0.",
    )
    .addHelpText("after", examples(["node", "what a container of the image runs"]))
    .action(
      exiting(async () => {
        const { runNodeProcess } = await import("../../../tools/process/node-process.ts");
        runNodeProcess();
      }),
    );
}
