import type { Command } from "commander";
import { processEnvironment, readConfig } from "../../../config/index.ts";
import { startCheckedOut } from "../../../tools/upgrade/start-checked-out.ts";
import { upgrade } from "../../../tools/upgrade/change-revision.ts";
import { examples, exiting } from "../../options.ts";

type Options = { backup: boolean; start: boolean };

export function define(command: Command): void {
  command
    .description(
      "Upgrades a stopped engine of this clone: makes a full backup of the private PostgreSQL, " +
        "checks the newest commit of the branch's upstream out (or REVISION), and starts it, which " +
        "installs packages and migrates. In a cluster see docs/operations.md.",
    )
    .argument("[revision]", "a tag or a commit that follows the current one")
    .option("--no-backup", "for a PostgreSQL that is not private: you have backed it up")
    .option("--no-start", "do not start the engine afterwards")
    .addHelpText(
      "after",
      examples(["upgrade", "after Ctrl-C in the terminal of `npm start`"], ["upgrade v0.3.0", ""]),
    )
    .action(
      exiting(async (revision: string | undefined, { backup, start }: Options) => {
        await upgrade(readConfig(processEnvironment()), { revision, backup }, console.log);
        return start ? startCheckedOut() : 0;
      }),
    );
}
