import type { Command } from "commander";
import { runToExit } from "../../../tools/process/run-to-exit.ts";
import { examples, exiting } from "../../options.ts";
import { mutantsWith, runSecurityMutants } from "./security-mutants.ts";
import { runSecurityReport } from "./security-report.ts";

export function define(command: Command): void {
  command
    .description("Runs the security checklist and writes docs/security.md.")
    .addHelpText("after", examples(["security report", "runs every test of the checklist"]));
  command
    .command("report")
    .summary("run the tests of the checklist")
    .description(
      "Runs the tests of the security checklist on servers of their own and writes " +
        "docs/security.md. Exit code 1 where a line does not hold.",
    )
    .action(exiting(() => runToExit(runSecurityReport)));
  command
    .command("mutants")
    .summary("remove protections that the tests must miss")
    .description(
      "Removes each protection in a copy of the code (tools/security/mutants-*.ts) and runs the " +
        "test that must notice: it must pass with the protection and fail without. Updates " +
        "docs/security.md.",
    )
    .argument("[word...]", "id of a line, or part of a protection's description")
    .addHelpText("after", examples(["security mutants S12", "the protections of one line"]))
    .action(
      exiting((words: string[]) => {
        const wanted = mutantsWith(words);
        if (wanted.length === 0) command.error(`error: no protection matches ${words.join(" ")}`);
        return runToExit((abort) => runSecurityMutants(wanted, abort));
      }),
    );
}
