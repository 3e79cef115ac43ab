import type { Command } from "commander";
import { processEnvironment, readConfig } from "../../../config/index.ts";
import { startCheckedOut } from "../../../tools/upgrade/start-checked-out.ts";
import { rollback } from "../../../tools/upgrade/change-revision.ts";
import { examples, exiting } from "../../options.ts";

export function define(command: Command): void {
  command
    .description(
      "Goes back to the code from before the last upgrade (or to REVISION) and starts it. The " +
        "engine must be stopped. The database keeps its schema and all that was sold: refused if " +
        "a migration since then contracts.",
    )
    .argument("[revision]", "a tag or a commit before the current one")
    .option("--no-start", "do not start the engine afterwards")
    .addHelpText("after", examples(["rollback", "to what ran before `npx boxoffice upgrade`"]))
    .action(
      exiting(async (revision: string | undefined, { start }: { start: boolean }) => {
        await rollback(readConfig(processEnvironment()), { revision }, console.log);
        return start ? startCheckedOut() : 0;
      }),
    );
}
