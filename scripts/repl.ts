import type { REPLServer } from "node:repl";
import { setTimeout as wait } from "node:timers/promises";
import startRepl from "moleculer-repl";
import { ConfigError, processEnvironment } from "../config.ts";
import { joinEngine, NoEngine } from "./join-engine.ts";

const STOP_MS = 2_000;

// npm run repl: Moleculer's REPL on the bus of the running engine, for the operator at the keyboard, or for lines from a pipe.

try {
  const { broker, config } = await joinEngine(processEnvironment(), { as: "repl" });
  console.log(
    `On the bus of "${config.namespace}" as ${config.nodeId}; every call is an operator's. Among others:\n` +
      "  nodes, services, actions, call purchasing.workers, call ledger.status, call ledger.reconcile, call ledger.deadLetters; help says all, q leaves",
  );
  const server = startRepl(broker, { delimiter: "boxoffice $", customCommands: null });
  const answered = oneByOne(server);
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

/** Makes lines wait for the answer to the one before: a pipe brings all at once, and `q` would leave first. Answers how to wait for the last one. */
function oneByOne(server: REPLServer): () => Promise<void> {
  const evaluate = server.eval;
  let last = Promise.resolve();
  const inTurn: typeof evaluate = (command, context, file, done) => {
    last = last.then(
      () =>
        new Promise((resolve) => {
          evaluate.call(server, command, context, file, (error, result) => {
            done(error, result);
            resolve();
          });
        }),
    );
  };
  Object.assign(server, { eval: inTurn, ignoreUndefined: true });
  return () => last;
}
