import type { REPLServer } from "node:repl";
import { setTimeout as wait } from "node:timers/promises";
import type { Command } from "commander";
import startRepl from "moleculer-repl";
import { processEnvironment } from "../../../config/index.ts";
import { joinEngine } from "../../../tools/engine/connect.ts";
import { examples, exiting } from "../../options.ts";
import { actAsPerson } from "../../repl/operator-identity.ts";
import { type OperatorSession, openSession } from "../../repl/operator-session.ts";
import { completing, runCommand } from "../../repl/shell.ts";

const STOP_TIMEOUT_MS = 2_000;

type Options = { as?: string; yes?: boolean };

export function define(command: Command): void {
  command
    .description(
      "Moleculer's REPL on the bus of the running engine, with commands for operators (help shows " +
        "them). Reads a terminal, or lines from a pipe. Each call is in the audit trail.",
    )
    .option(
      "--as <email>",
      "the operator whose name the audit trail gets, proved by the account's password, which is " +
        "asked for, or is in OPERATOR_PASSWORD, or by an access token in OPERATOR_TOKEN",
    )
    .option("--yes", "do not ask before a change")
    .addHelpText(
      "after",
      examples(
        ["repl --as ada@example.com", "interactive"],
        ["repl < commands.txt", "runs the lines of a file"],
      ),
    )
    .action(exiting(runRepl));
}

async function runRepl({ as: email, yes = false }: Options): Promise<undefined> {
  const environment = processEnvironment();
  const engine = await joinEngine(environment, {
    as: "repl",
    metrics: true,
    ...(email === undefined ? {} : { needs: "auth" }),
  });
  const { broker, config } = engine;
  const who =
    email === undefined
      ? "an unnamed operator (--as EMAIL)"
      : await actAsPerson(engine, email, environment);
  console.log(
    `On the bus of "${config.namespace}" as ${config.nodeId}, for ${who}; every call is an ` +
      "operator's and in the audit trail.\n" +
      "  search, workers, sales --live, reconcile, nodes, call ledger.status; help shows all, q leaves",
  );
  const server = startRepl(broker, { delimiter: "boxoffice $", customCommands: null });
  const session = openSession(broker, {
    print: console.log,
    confirm: (question) => isConfirmed(server, question, yes),
  });
  server.on("SIGINT", () => session.interrupt());
  const finished = runInOrder(server, session);
  completing(server);
  // The REPL's own listener exits at the end of a pipe, also with calls in flight.
  server.removeAllListeners("exit");
  server.on("exit", () => {
    void finished()
      .then(() => Promise.race([broker.stop(), wait(STOP_TIMEOUT_MS)]))
      .finally(() => process.exit());
  });
}

async function isConfirmed(server: REPLServer, question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) {
    console.log(`${question} The input is no terminal: start with --yes to confirm.`);
    return false;
  }
  return new Promise((resolve) =>
    server.question(`${question} [y/N] `, (answer) => resolve(/^y(es)?$/i.test(answer.trim()))),
  );
}

/**
 * Runs one line after the other: a pipe brings all at once, and `q` would leave first. Returns a
 * function that waits for the last one.
 */
function runInOrder(server: REPLServer, session: OperatorSession): () => Promise<void> {
  const evaluate = server.eval;
  let last = Promise.resolve();
  const ordered: typeof evaluate = (command, context, file, done) => {
    last = last.then(
      () =>
        new Promise((resolve) => {
          void runCommand(session, command).then((isOurs) => {
            const end = (error: Error | null, result?: unknown): void => {
              done(error, result);
              resolve();
            };
            if (isOurs) end(null);
            else evaluate.call(server, command, context, file, end);
          });
        }),
    );
  };
  Object.assign(server, { eval: ordered, ignoreUndefined: true });
  return () => last;
}
