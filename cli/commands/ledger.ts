import { createInterface } from "node:readline/promises";
import { ConfigError, processEnvironment } from "../../config/index.ts";
import type { Answer } from "../../domain/refusal.ts";
import { type Engine, joinEngine, NoEngine } from "../../tools/engine/connect.ts";

const USAGE = `npm run ledger -- COMMAND [--yes]    on the running engine
  reconcile [EVENT]    says what disagrees between tickets, ledger, capacity and Redis; mends the copies in Redis, changes nothing else
  dead-letters         shows the oldest 100 messages that were put aside; looking loses none
  replay [ID]          moves all of them, or those of this id, back into the queue, once the failed rows of their events can be booked
  discard ID           throws a message away for good that cannot be read
  retry-failed EVENT   books an event's failed rows after you have mended it: all or none
replay and discard ask first; --yes answers. Exit code 0: nothing is wrong, 1: something is, 2: it could not be asked.`;
const TIMEOUT_MS = 70_000;
const LISTED = 100;

type Reconciled = {
  events: number;
  more: number;
  copiesCompared: boolean;
  differences: {
    kind: string;
    eventId: string;
    transactionId?: string;
    mended: boolean;
    sentence: string;
  }[];
};
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

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const LETTER = /^[0-9a-f]{16}$/;

const yes = process.argv.includes("--yes");
const [command = "", word, ...rest] = process.argv
  .slice(2)
  .filter((argument) => argument !== "--yes");
const run = rest.length > 0 ? undefined : chosen();
if (run === undefined) {
  console.error(USAGE);
  process.exit(2);
}
// Said outright: a bus that was never reached is tried again for ever behind our back.
process.exit(await onEngine(run));

/** What the words ask for; undefined where they are none of ours. */
function chosen(): ((engine: Engine) => Promise<number>) | undefined {
  if (command === "reconcile" && (word === undefined || UUID.test(word)))
    return (engine) => reconcile(engine, word);
  if (command === "dead-letters" && word === undefined) return deadLetters;
  if (command === "replay" && (word === undefined || LETTER.test(word)))
    return (engine) => replay(engine, word);
  if (command === "discard" && word !== undefined && LETTER.test(word))
    return (engine) => discard(engine, word);
  if (command === "retry-failed" && word !== undefined && UUID.test(word))
    return (engine) => retryFailed(engine, word);
  return undefined;
}

async function onEngine(work: (engine: Engine) => Promise<number>): Promise<number> {
  let engine: Engine | undefined;
  try {
    engine = await joinEngine(processEnvironment(), { as: "ledger", needs: "ledger" });
    return await work(engine);
  } catch (error) {
    console.error(
      error instanceof NoEngine || error instanceof ConfigError
        ? error.message
        : `The engine failed: ${String(error)}`,
    );
    return 2;
  } finally {
    await engine?.broker.stop();
  }
}

async function ask<T>({ broker }: Engine, action: string, params: object): Promise<T> {
  const answer = await broker.call<Answer<T>, object>(`ledger.${action}`, params, {
    timeout: TIMEOUT_MS,
  });
  if (answer.ok) return answer.value;
  const { code } = answer.refusal;
  if (code === "TRY_AGAIN")
    throw new NoEngine(
      "RabbitMQ or PostgreSQL does not answer. What was done until now stays; run this again later.",
    );
  throw new NoEngine(
    code === "EVENT_NOT_FOUND" ? "There is no such event." : `The engine refused: ${code}`,
  );
}

/** Whether to go on. Where nobody can be asked, only --yes is a yes. */
async function agreed(question: string): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) {
    console.error(`${question} Nobody is there to ask: add --yes.`);
    return false;
  }
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await lines.question(`${question} [y/N] `);
  lines.close();
  return /^y(es)?$/i.test(answer.trim());
}

async function reconcile(engine: Engine, eventId: string | undefined): Promise<number> {
  const result = await ask<Reconciled>(
    engine,
    "reconcile",
    eventId === undefined ? {} : { eventId },
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
  return differences.length + more > 0 ? 1 : copiesCompared ? 0 : 2;
}

async function deadLetters(engine: Engine): Promise<number> {
  const { waiting, letters } = await ask<Listed>(engine, "deadLetters", { limit: LISTED });
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

async function replay(engine: Engine, id: string | undefined): Promise<number> {
  if (
    !(await agreed(
      `Move ${id === undefined ? "all dead letters" : `dead letter ${id}`} back into the queue?`,
    ))
  )
    return 2;
  const { replayed, left, kept } = await ask<{
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

async function discard(engine: Engine, id: string): Promise<number> {
  if (!(await agreed(`Throw dead letter ${id} away for good?`))) return 2;
  const { discarded, readable } = await ask<{ discarded: number; readable: number }>(
    engine,
    "discard",
    { id },
  );
  if (readable > 0) console.log(`Dead letter ${id} can be read, so it stays: replay it instead.`);
  else
    console.log(discarded === 0 ? `No dead letter has the id ${id}.` : `${discarded} thrown away.`);
  return discarded > 0 ? 0 : 1;
}

async function retryFailed(engine: Engine, eventId: string): Promise<number> {
  const { failed, sentence } = await ask<{ failed: number; sentence: string }>(
    engine,
    "retryFailed",
    { eventId },
  );
  console.log(sentence);
  return failed > 0 ? 1 : 0;
}
