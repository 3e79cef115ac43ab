import type { Command } from "commander";
import { UUID } from "../../../domain/uuid.ts";
import type { Engine } from "../../../tools/engine/connect.ts";
import { callEngine, exitCodeOnEngine, NOT_DONE } from "../../on-engine.ts";
import { examples, exiting, valueOf } from "../../options.ts";

type Troubled = {
  key: string;
  kind: string;
  state: "waiting" | "dead";
  attempts: number;
  eventId: string | null;
  accountId: string | null;
  reason: string | null;
  createdAt: string;
  dueAt: string;
};
type Backlog = { waiting: number; overdueS: number | null; dead: number };

const LISTED_MAX = 100;
const MAIL = { as: "mail", needs: "notifier" };

const asKey = valueOf(
  (text) => UUID.exec(text.toLowerCase())?.[0],
  "a notification's key (a UUID)",
);

export function define(command: Command): void {
  command
    .description(
      "Shows and retries e-mails of the running engine that could not be sent. Exit code 0: there " +
        "are no dead letters, 1: there are, 2: usage, or no answer.",
    )
    .addHelpText("after", examples(["mail list", "what waits after a failed try, and why"]));
  command
    .command("list")
    .summary("show e-mails that could not be sent")
    .description(
      `Shows the oldest ${LISTED_MAX} dead letters and e-mails that wait for another try, with ` +
        "the server's reason. Shows no address.",
    )
    .option("--dead", "dead letters only")
    .action(exiting(({ dead = false }: { dead?: boolean }) => exitCodeOnEngine(MAIL, list(dead))));
  command
    .command("retry")
    .summary("send dead letters again")
    .description("Makes dead letters due again, after their cause was mended.")
    .argument("[key]", "one notification's key", asKey)
    .option("--all", "all dead letters")
    .action(
      exiting((key: string | undefined, { all = false }: { all?: boolean }) => {
        if ((key === undefined) === all) return exitCodeOnEngine(MAIL, retry(key));
        console.error("Give the key of a dead letter, or --all.");
        return NOT_DONE;
      }),
    );
}

function list(dead: boolean): (engine: Engine) => Promise<number> {
  return async (engine) => {
    const params = { dead, limit: LISTED_MAX };
    const { items } = await callEngine<{ items: Troubled[] }>(engine, "notifier.troubled", params);
    for (const { key, kind, state, attempts, createdAt, dueAt, accountId, reason } of items)
      console.log(
        `${key}  ${kind}  ${state}  since ${createdAt}, tries: ${attempts}` +
          `${state === "dead" ? "" : `, next ${dueAt}`}, account ${accountId ?? "none"}\n` +
          `  ${reason ?? ""}`,
      );
    const status = await callEngine<Backlog>(engine, "notifier.status", {});
    console.log(`${status.waiting} e-mails wait, ${status.dead} dead letters.`);
    return status.dead > 0 ? 1 : 0;
  };
}

function retry(key: string | undefined): (engine: Engine) => Promise<number> {
  return async (engine) => {
    const params = key === undefined ? {} : { key };
    const { revived } = await callEngine<{ revived: number }>(engine, "notifier.retry", params);
    if (revived === 0 && key !== undefined) {
      console.log(`No dead letter has the key ${key}.`);
      return 1;
    }
    console.log(
      revived === 1 ? "1 dead letter is sent again." : `${revived} dead letters are sent again.`,
    );
    return 0;
  };
}
