import { processEnvironment } from "../config/index.ts";
import type { Answer } from "../domain/refusal.ts";
import { type Engine, EngineProblem, joinEngine } from "../tools/engine/connect.ts";
import { expectedMessage } from "../tools/process/expected-problem.ts";

/** Exit code where the engine gave no answer, or the command was not complete or confirmed. */
export const NOT_DONE = 2;

type Joining = { as: string; needs: string };

/** Joins the running engine, works on it, and leaves it. Rejects as joinEngine and the work do. */
export async function onEngine<T>(
  joining: Joining,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await joinEngine(processEnvironment(), joining);
  try {
    return await work(engine);
  } finally {
    await engine.broker.stop();
  }
}

/** As onEngine, for a command whose exit code says what it has found: a failure is NOT_DONE. */
export async function exitCodeOnEngine(
  joining: Joining,
  work: (engine: Engine) => Promise<number>,
): Promise<number> {
  try {
    return await onEngine(joining, work);
  } catch (error) {
    console.error(expectedMessage(error) ?? `The engine failed: ${String(error)}`);
    return NOT_DONE;
  }
}

/** Calls an action, and returns what it answers. Throws an EngineProblem for a refusal. */
export async function callEngine<T>(
  { broker }: Engine,
  action: string,
  params: object,
): Promise<T> {
  const answer = await broker.call<Answer<T>, object>(action, params);
  if (answer.ok) return answer.value;
  throw new EngineProblem(`The engine refused: ${answer.refusal.code}`);
}
