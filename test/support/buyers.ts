import type { Engine } from "./engine.ts";
import type { Answered, HttpClient } from "./http.ts";

export type Buyers = {
  /** The answers so far. */
  readonly answers: readonly Answered[];
  /** Ends the stream and waits for the last answers. */
  stop(): Promise<void>;
};

/**
 * Starts a steady stream of purchases by a number of concurrent buyers. Each purchase has a new
 * customer and key. A fault of the connection counts as status 0.
 */
export function startBuyers(
  engine: Engine,
  ask: HttpClient,
  eventId: string,
  atOnce: number,
): Buyers {
  const answers: Answered[] = [];
  let stopped = false;
  const buy = async (): Promise<void> => {
    while (!stopped) {
      const answer = await ask("POST", `/api/events/${eventId}/tickets`, {
        token: engine.accessToken(),
        json: {},
      }).catch((error: unknown): Answered => ({
        status: 0,
        headers: new Headers(),
        text: String(error),
        json: { code: String(error) },
      }));
      answers.push(answer);
      // The answers pace it, which leaves time for other tests on the machine.
      await new Promise(setImmediate);
    }
  };
  const all = Promise.all(Array.from({ length: atOnce }, buy));
  return {
    answers,
    async stop() {
      stopped = true;
      await all;
    },
  };
}
