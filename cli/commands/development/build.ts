import type { Command } from "commander";
import { processEnvironment } from "../../../config/index.ts";
import { buildWebApp } from "../../../tools/web-build/build.ts";
import { examples, exiting } from "../../options.ts";

export function define(command: Command): void {
  command
    .description(
      "Builds the web app into public/dist, also where its sources have not changed. `start` and " +
        "`test` build it by themselves where it is out of date.",
    )
    .addHelpText("after", examples(["build", "prints the size of the first load"]))
    .action(
      exiting(async () => {
        await buildWebApp(console.log, { again: true, environment: processEnvironment() });
        return 0;
      }),
    );
}
