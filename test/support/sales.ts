import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { availableKey, readAvailable } from "../../lib/availability/availability-cache.ts";
import { openRedis, whenReady } from "../../lib/redis/client.ts";
import type { Engine } from "./engine.ts";
import type { Answered, Ask, HttpClient } from "./http.ts";
import { waitFor } from "./wait-for.ts";

/** An event's numbers in PostgreSQL's tables, in Redis, and in the ledger's sum. */
export type Numbers = {
  total: number;
  capacity: number;
  /** Rows the ledger has not booked. */
  pending: number;
  tickets: number;
  /** Sum of the changes of capacity in capacity_ledger. */
  booked: number;
  /** Redis's copy; undefined if no reader would trust it. */
  available: number | undefined;
};

/** Waits until the ledger has booked all of an event, then reads PostgreSQL and Redis. */
export async function numbersWhenQuiet(engine: Engine, eventId: string): Promise<Numbers> {
  const query = {
    text: `
      SELECT total_capacity AS total, capacity,
        (SELECT count(*)::integer FROM event_ticket_transactions
          WHERE event_id = event.id) AS pending,
        (SELECT count(*)::integer FROM event_tickets
          WHERE event_id = event.id AND cancelled_at IS NULL) AS tickets,
        (SELECT coalesce(sum(quantity), 0)::integer FROM capacity_ledger
          WHERE event_id = event.id) AS booked
      FROM event WHERE id = $1`,
    values: [eventId],
  };
  const numbers = await waitFor(
    async () =>
      (await engine.database.query<Omit<Numbers, "available">>(query)).find(
        ({ pending }) => pending === 0,
      ),
    { withinMs: 20_000, what: "The ledger has booked everything" },
  );
  const redis = openRedis(engine.config.redisUrl ?? "", () => undefined);
  try {
    assert.ok(await whenReady(redis, 5_000), "Redis answers");
    return {
      ...numbers,
      available: readAvailable(await redis.get(availableKey(eventId)), redis.runId() ?? ""),
    };
  } finally {
    redis.disconnect();
  }
}

const TRIES = 10;

/**
 * Wraps a client as the contract expects: it repeats a 503 TRY_AGAIN with the same key after
 * Retry-After, a limited number of times.
 */
export function patientClient(ask: HttpClient): HttpClient & { triedAgain: () => number } {
  let triedAgain = 0;
  const insist = async (
    method: string,
    path: string,
    more: Ask = {},
    tries = TRIES,
  ): Promise<Answered> => {
    const answer = await ask(method, path, more);
    if (answer.json?.code !== "TRY_AGAIN" || tries === 1) return answer;
    triedAgain += 1;
    await wait(
      Number(answer.headers.get("retry-after") ?? assert.fail("TRY_AGAIN says no Retry-After")) *
        1_000,
    );
    const key = answer.headers.get("idempotency-key");
    return insist(
      method,
      path,
      key === null ? more : { ...more, headers: { ...more.headers, "Idempotency-Key": key } },
      tries - 1,
    );
  };
  const client: HttpClient = (method, path, more) => insist(method, path, more);
  return Object.assign(client, { triedAgain: () => triedAgain });
}

/** Counts answers by kind: `201`, or `409 EVENT_SOLD_OUT`. */
export function tally(answers: readonly Answered[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, json } of answers) {
    const kind = typeof json?.code === "string" ? `${status} ${json.code}` : String(status);
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}
