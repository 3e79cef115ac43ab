import type { Engine } from "./engine.ts";
import type { Answered, HttpClient } from "./http.ts";

export type Buyers = {
  /** What has been answered until now. */
  readonly answers: readonly Answered[];
  /** Ends the stream, and waits for the last answers. */
  stop(): Promise<void>;
};

/** A steady stream of purchases: so many people at a time, each somebody new, each with a key of its own. A fault of the connection is kept as status 0. */
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
      // Paced by the answers, with room for everybody else on the machine.
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
