import type { Command } from "commander";
import { examples, exiting, valueOf } from "../../options.ts";
import type { LedgerCommands } from "./ledger-run.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Ids of an event and a customer, or a cursor of Redis. The ledger refuses anything else. */
const POSITION = /^[0-9a-f:/-]{8,80}$|^copies:\d{1,20}$/;
const LETTER = /^[0-9a-f]{16}$/;

const matching = (pattern: RegExp, expected: string) =>
  valueOf((text) => (pattern.test(text) ? text : undefined), expected);
const asEvent = matching(UUID, "an event's id (a UUID)");
const asPosition = matching(POSITION, "a position that an earlier run has shown");
const asLetter = matching(LETTER, "a dead letter's id (16 hexadecimal digits)");

export function define(command: Command): void {
  command
    .description(
      "Checks and repairs the ledger of the running engine. Exit code 0: nothing is wrong, 1: " +
        "something is, 2: usage, no answer, or not confirmed.",
    )
    .addHelpText("after", examples(["ledger reconcile", "compares every event"]));
  command
    .command("reconcile")
    .summary("compare tickets, ledger, capacity and Redis")
    .description(
      "Shows what differs between tickets, ledger, capacity and the copies in Redis. Repairs the " +
        "copies, changes nothing else.",
    )
    .argument("[event]", "one event's id (default: all events)", asEvent)
    .option("--from <position>", "go on where an earlier run has stopped", asPosition)
    .action(
      exiting((eventId: string | undefined, { from }: { from?: string }) =>
        run((ledger) => ledger.reconcile(eventId, from)),
      ),
    );
  command
    .command("dead-letters")
    .summary("show messages that were put aside")
    .description("Shows the oldest 100 dead letters; none of them is lost by it.")
    .action(exiting(() => run((ledger) => ledger.deadLetters())));
  confirmed(command.command("replay"))
    .summary("move dead letters back into the queue")
    .description(
      "Moves dead letters back into the queue. One whose event has failed rows stays until they " +
        "can be booked. Asks first.",
    )
    .argument("[id]", "one dead letter's id (default: all)", asLetter)
    .action(
      exiting((id: string | undefined, { yes }: Confirmed) => run((it) => it.replay(id), yes)),
    );
  confirmed(command.command("discard"))
    .summary("delete an unreadable dead letter")
    .description("Deletes a dead letter that cannot be read. Asks first.")
    .argument("<id>", "its id", asLetter)
    .action(exiting((id: string, { yes }: Confirmed) => run((it) => it.discard(id), yes)));
  command
    .command("retry-failed")
    .summary("book an event's failed rows")
    .description("Books the failed rows of an event after its repair: all of them or none.")
    .argument("<event>", "the event's id", asEvent)
    .action(exiting((eventId: string) => run((ledger) => ledger.retryFailed(eventId))));
}

type Confirmed = { yes?: boolean };

function confirmed(command: Command): Command {
  return command.option("--yes", "do not ask");
}

async function run(
  work: (ledger: LedgerCommands) => Promise<number>,
  yes = false,
): Promise<number> {
  const { onLedger } = await import("./ledger-run.ts");
  return onLedger(work, yes);
}
