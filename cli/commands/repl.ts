import type { REPLServer } from "node:repl";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import startRepl from "moleculer-repl";
import { ConfigError, processEnvironment } from "../../config/index.ts";
import { type Engine, joinEngine, NoEngine } from "../../tools/engine/connect.ts";
import { type OperatorSession, openDesk } from "../repl/operator-session.ts";
import { completing, runCommand } from "../repl/shell.ts";

const STOP_MS = 2_000;

// npm run repl [-- --as EMAIL] [--yes]: Moleculer's REPL on the bus of the running engine with operators' commands, for the person at the keyboard, or for
// lines from a pipe.

try {
  const { values } = parseArgs({
    options: { as: { type: "string" }, yes: { type: "boolean", default: false } },
  });
  const engine = await joinEngine(processEnvironment(), { as: "repl" });
  const { broker, config } = engine;
  const who =
    values.as === undefined ? "nobody by name (--as EMAIL)" : await actAs(engine, values.as);
  console.log(
    `On the bus of "${config.namespace}" as ${config.nodeId}, for ${who}; every call is an operator's and in the audit trail.\n` +
      "  events, workers, sales --live, reconcile, nodes, call ledger.status; help says all, q leaves",
  );
  const server = startRepl(broker, { delimiter: "boxoffice $", customCommands: null });
  const desk = openDesk(broker, {
    say: console.log,
    sure: (question) => agreed(server, question, values.yes),
  });
  const answered = oneByOne(server, desk);
  completing(server);
  // Its own answer to the end of a pipe leaves at once, also with calls in flight.
  server.removeAllListeners("exit");
  server.on("exit", () => {
    void answered()
      .then(() => Promise.race([broker.stop(), wait(STOP_MS)]))
      .finally(() => process.exit());
  });
} catch (error) {
  if (!(error instanceof NoEngine || error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exit(1);
}

/** The person must be an operator; answers who that is. */
async function actAs(engine: Engine, email: string): Promise<string> {
  const { value } = await engine.broker.call<
    { value?: { id: string; email: string; role: string } | null },
    object
  >("auth.find", {
    email,
  });
  if (value?.role !== "operator")
    throw new NoEngine(`${email} is no operator of this engine: npm run user -- list shows them`);
  engine.actAs(value.id);
  return value.email;
}

async function agreed(server: REPLServer, question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) {
    console.log(`${question} Nobody is there to ask: start with --yes.`);
    return false;
  }
  return new Promise((resolve) =>
    server.question(`${question} [y/N] `, (answer) => resolve(/^y(es)?$/i.test(answer.trim()))),
  );
}

/** Makes lines wait for the answer to the one before: a pipe brings all at once, and `q` would leave first. Answers how to wait for the last one. */
function oneByOne(server: REPLServer, desk: OperatorSession): () => Promise<void> {
  const evaluate = server.eval;
  let last = Promise.resolve();
  const inTurn: typeof evaluate = (command, context, file, done) => {
    last = last.then(
      () =>
        new Promise((resolve) => {
          void runCommand(desk, command).then((ours) => {
            const end = (error: Error | null, result?: unknown): void => {
              done(error, result);
              resolve();
            };
            if (ours) end(null);
            else evaluate.call(server, command, context, file, end);
          });
        }),
    );
  };
  Object.assign(server, { eval: inTurn, ignoreUndefined: true });
  return () => last;
}
