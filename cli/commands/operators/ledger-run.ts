import { createInterface } from "node:readline/promises";
import type { Answer } from "../../../domain/refusal.ts";
import { type Engine, EngineProblem } from "../../../tools/engine/connect.ts";
import { type Part, progressOf, reconcileAll } from "../../../tools/engine/reconcile.ts";
import { exitCodeOnEngine, NOT_DONE } from "../../on-engine.ts";

const CALL_TIMEOUT_MS = 70_000;
const LETTERS_SHOWN = 100;

type Listed = {
  waiting: number;
  letters: {
    id: string;
    received: string | null;
    deaths: number;
    reason: string;
    readable: boolean;
    bytes: number;
    content: string;
  }[];
};

/** The subcommands of `boxoffice ledger`; each returns its exit code. */
export type LedgerCommands = {
  reconcile(eventId: string | undefined, from: string | undefined): Promise<number>;
  deadLetters(): Promise<number>;
  replay(id: string | undefined): Promise<number>;
  discard(id: string): Promise<number>;
  retryFailed(eventId: string): Promise<number>;
};

/** Runs one of them on the running engine. With `yes` no question is asked. */
export function onLedger(
  run: (ledger: LedgerCommands) => Promise<number>,
  yes: boolean,
): Promise<number> {
  return exitCodeOnEngine({ as: "ledger", needs: "ledger" }, (engine) =>
    run(commandsOn(engine, yes)),
  );
}

function commandsOn(engine: Engine, yes: boolean): LedgerCommands {
  return {
    reconcile: (eventId, from) => reconcile(engine, eventId, from),
    deadLetters: () => deadLetters(engine),
    replay: (id) => replay(engine, yes, id),
    discard: (id) => discard(engine, yes, id),
    retryFailed: (eventId) => retryFailed(engine, eventId),
  };
}

async function call<T>({ broker }: Engine, action: string, params: object): Promise<T> {
  const answer = await broker.call<Answer<T>, object>(`ledger.${action}`, params, {
    timeout: CALL_TIMEOUT_MS,
  });
  if (answer.ok) return answer.value;
  const { code } = answer.refusal;
  if (code === "TRY_AGAIN")
    throw new EngineProblem(
      "RabbitMQ or PostgreSQL does not answer. What is done so far stays; run this again later.",
    );
  throw new EngineProblem(
    code === "EVENT_NOT_FOUND" ? "There is no such event." : `The engine refused: ${code}`,
  );
}

/** Asks for confirmation; where the input is no terminal, only --yes confirms. */
async function isConfirmed(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) {
    console.error(`${question} The input is no terminal, so add --yes to confirm.`);
    return false;
  }
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await lines.question(`${question} [y/N] `);
  lines.close();
  return /^y(es)?$/i.test(answer.trim());
}

async function reconcile(
  engine: Engine,
  eventId: string | undefined,
  from: string | undefined,
): Promise<number> {
  const result = await reconcileAll(
    (params) => call<Part>(engine, "reconcile", params),
    { ...(eventId !== undefined && { eventId }), ...(from !== undefined && { from }) },
    (sum, next) => console.error(`${progressOf(sum, next)}; continue: --from ${next}`),
  );
  const { events, differences, more, copiesCompared } = result;
  for (const { kind, eventId: id, transactionId, sentence } of differences)
    console.log(
      `${kind}  event ${id}${transactionId === undefined ? "" : `  transaction ${transactionId.slice(0, 16)}…`}\n  ${sentence}`,
    );
  if (!copiesCompared)
    console.log("Redis does not answer: its copies were not compared, or not all.");
  const mended = differences.filter((difference) => difference.mended).length;
  console.log(
    `${events} events compared: ${differences.length + more} differences, ${mended} mended${more > 0 ? `, ${more} not shown` : ""}.`,
  );
  return differences.length + more > 0 ? 1 : copiesCompared ? 0 : NOT_DONE;
}

async function deadLetters(engine: Engine): Promise<number> {
  const { waiting, letters } = await call<Listed>(engine, "deadLetters", { limit: LETTERS_SHOWN });
  for (const { id, received, deaths, reason, readable, bytes, content } of letters)
    console.log(
      `${id}  received ${received ?? "at an unknown time"}, deaths: ${deaths}, reason: ${reason}, ${bytes} bytes${readable ? "" : ", cannot be read"}\n  ${content}`,
    );
  console.log(
    waiting === 0
      ? "There are no dead letters."
      : `${waiting} dead letters, ${letters.length} shown.`,
  );
  return waiting === 0 ? 0 : 1;
}

async function replay(engine: Engine, yes: boolean, id: string | undefined): Promise<number> {
  if (
    !(await isConfirmed(
      `Move ${id === undefined ? "all dead letters" : `dead letter ${id}`} back into the queue?`,
      yes,
    ))
  )
    return NOT_DONE;
  const { replayed, left, kept } = await call<{
    replayed: number;
    left: number;
    kept: { id: string; sentence: string }[];
  }>(engine, "replay", id === undefined ? {} : { id });
  for (const letter of kept) console.log(`${letter.id} stays a dead letter: ${letter.sentence}`);
  if (id !== undefined && replayed + kept.length === 0)
    console.log(`No dead letter has the id ${id}.`);
  console.log(`${replayed} moved back into the queue, ${left} left.`);
  return kept.length > 0 || (id === undefined ? left > 0 : replayed === 0) ? 1 : 0;
}

async function discard(engine: Engine, yes: boolean, id: string): Promise<number> {
  if (!(await isConfirmed(`Delete dead letter ${id} for good?`, yes))) return NOT_DONE;
  const { discarded, readable } = await call<{ discarded: number; readable: number }>(
    engine,
    "discard",
    { id },
  );
  if (readable > 0) console.log(`Dead letter ${id} can be read, so it stays: replay it instead.`);
  else console.log(discarded === 0 ? `No dead letter has the id ${id}.` : `${discarded} deleted.`);
  return discarded > 0 ? 0 : 1;
}

async function retryFailed(engine: Engine, eventId: string): Promise<number> {
  const { failed, sentence } = await call<{ failed: number; sentence: string }>(
    engine,
    "retryFailed",
    { eventId },
  );
  console.log(sentence);
  return failed > 0 ? 1 : 0;
}
