// A page of event_tickets is damaged on the disk of a PostgreSQL with checksums. Reads of it are
// TRY_AGAIN. A purchase and a cancellation are never TRY_AGAIN if they are done.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { Redis } from "ioredis";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import { flipPage } from "../../tools/testing/flip-byte.ts";
import { addConcert } from "../support/fixtures/event-rows.ts";
import { httpClient, type HttpClient } from "../support/http/http.ts";
import { startWatchedEngine, type WatchedEngine } from "../support/monitoring/watched-engine.ts";
import {
  type DurablePostgres,
  startDurablePostgres,
} from "../support/processes/durable-postgres.ts";
import { waitFor } from "../support/wait-for.ts";

let postgres: DurablePostgres;
let watched: WatchedEngine;
let owner: Database;
let ask: HttpClient;
before(async () => {
  postgres = await startDurablePostgres();
  owner = openDatabase(postgres.ownerUrl, "long");
  watched = await startWatchedEngine({ DATABASE_URL: postgres.engineUrl });
  ask = httpClient(watched.engine.url);
});
after(async () => {
  await watched.engine.close();
  await owner.close();
  await postgres.stop();
});

it("a damaged page: honest answers, no fault of ours, and all is well when it is mended", async () => {
  const { engine, value, faults } = watched;
  const eventId = await addConcert(owner, { total: 1_000 });
  const token = engine.accessToken();
  const buy = (key: string) =>
    ask("POST", `/api/events/${eventId}/tickets`, {
      token,
      headers: { "Idempotency-Key": key },
      json: { quantity: 1 },
    });
  const sold = randomUUID();
  const sale = await waitFor(async () => {
    const answer = await buy(sold);
    return answer.status === 201 && answer;
  });
  const [ticket] = sale.json?.tickets as { id: string }[];
  await waitFor(async () => {
    const [row] = await owner.query<{ pending: number }>({
      text: "SELECT count(*)::integer AS pending FROM event_ticket_transactions",
    });
    return row?.pending === 0;
  });

  const [place] = await owner.query<{ path: string; page: number }>({
    text: `SELECT pg_relation_filepath(tableoid) AS path, (ctid::text::point)[0]::integer AS page
      FROM event_tickets WHERE id = $1`,
    values: [ticket?.id],
  });
  const change = (): Promise<void> =>
    postgres.whileStopped((cluster) =>
      flipPage(join(cluster, place?.path ?? ""), place?.page ?? 0),
    );
  await change();
  // Copies of the tickets would answer.
  const redis = new Redis(engine.config.redisUrl ?? "");
  await redis.flushdb();
  await waitFor(async () => (await fetch(`${engine.url}/readyz`)).status === 200);

  const before = await faults();
  const codes = async (count: number, call: () => ReturnType<HttpClient>): Promise<Set<string>> => {
    const seen = new Set<string>();
    for (let index = 0; index < count; index += 1) {
      const { status, json, text } = await call();
      assert.equal(status, 503, text);
      seen.add(String(json?.code));
    }
    return seen;
  };
  const list = () => ask("GET", "/api/tickets", { token });
  const cancel = () => ask("DELETE", `/api/tickets/${ticket?.id}`, { token });
  assert.deepEqual(await codes(3, list), new Set(["TRY_AGAIN"]));
  assert.deepEqual(
    await codes(3, () => ask("GET", `/api/tickets/${ticket?.id}`, { token })),
    new Set(["TRY_AGAIN"]),
  );
  assert.deepEqual(await codes(2, () => buy(sold)), new Set(["OUTCOME_UNKNOWN"]));
  assert.deepEqual(await codes(2, cancel), new Set(["TRY_AGAIN"]));
  const fresh = randomUUID();
  for (const code of await codes(2, () => buy(fresh)))
    assert.match(code, /^(?:OUTCOME_UNKNOWN|TRY_AGAIN)$/);
  assert.equal(await faults(), before, "no fault of ours");
  assert.ok(Number(await value("boxoffice_postgres_damage_total")) > 0);

  await change();
  await redis.flushdb();
  redis.disconnect();
  await waitFor(async () => (await list()).status === 200);
  const { json } = await list();
  assert.equal((json?.items as unknown[]).length, 1, "what was refused was not sold");
  const again = await waitFor(async () => {
    const answer = await buy(sold);
    return answer.status === 201 && answer;
  });
  assert.deepEqual((again.json?.tickets as { id: string }[])[0]?.id, ticket?.id);
  await waitFor(async () => (await cancel()).status === 200);
});
