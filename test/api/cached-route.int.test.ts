// Searches as the gateway answers them from bytes it keeps: the same for everybody, never old, and
// still there when what is behind it is not.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { RunningNode } from "../../main.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import { openTcpProxy, type TcpProxy } from "../../tools/chaos/network/tcp-proxy.ts";
import { quickestOfThree, waitFor } from "../support/wait-for.ts";

const OURS = "https://shop.example";

describe("public reads", () => {
  let engine: Engine;
  let gateway: RunningNode;
  let seller: RunningNode;
  let postgres: TcpProxy;
  let ask: HttpClient;
  let eventId: string;
  before(async () => {
    engine = await startEngine({ SERVICES: "auth,ledger" });
    postgres = await openTcpProxy(engine.config.databaseUrl ?? "");
    const ours = { DATABASE_URL: postgres.url };
    seller = await engine.startNode({ ...ours, SERVICES: "catalog,purchasing" });
    gateway = await engine.startNode({ ...ours, SERVICES: "api", CORS_ORIGINS: OURS });
    ask = httpClient(gateway.url ?? "");
    eventId = await engine.addEvent({ capacity: 1_000 });
    for (let number = 0; number < 10; number++) await engine.addEvent();
    await waitFor(async () => (await ask("GET", `/api/events/${eventId}`)).status === 200);
  });
  after(async () => {
    await engine.close();
    await postgres.close();
  });

  const event = `/api/events`;
  const paths = () => [
    event,
    `${event}?location=berlin&limit=5`,
    `${event}/filters`,
    `${event}/${eventId}`,
  ];
  const buyer = randomUUID();
  const buy = (key = "one purchase") =>
    ask("POST", `/api/events/${eventId}/tickets`, {
      token: engine.accessToken(buyer),
      json: {},
      headers: { "Idempotency-Key": key },
    });

  it("are one answer for everybody, known again by its ETag, and carry what every answer carries", async () => {
    for (const path of paths()) {
      const one = await ask("GET", path, { headers: { Origin: OURS, "X-Request-ID": "one" } });
      const other = await ask("GET", path, {
        token: engine.accessToken(),
        headers: { Origin: "https://evil.example", Cookie: "a=b" },
      });
      assert.deepEqual([one.status, other.status, other.text], [200, 200, one.text], path);
      const etag = one.headers.get("etag") ?? "";
      assert.match(etag, /^W\/"[\w-]{27}"$/);
      assert.equal(one.headers.get("cache-control"), "public, max-age=1");
      assert.equal(one.headers.get("x-request-id"), "one");
      assert.equal(one.headers.get("x-content-type-options"), "nosniff");
      assert.deepEqual(one.headers.get("vary")?.split(", ").sort(), ["Accept-Encoding", "Origin"]);
      const origins = [one, other].map(({ headers }) => headers.get("access-control-allow-origin"));
      assert.deepEqual(origins, [OURS, null]);
      for (const tag of [etag, etag.slice(2), `"x", ${etag}`, "*"]) {
        const again = await ask("GET", path, { headers: { "If-None-Match": tag } });
        assert.deepEqual(
          [again.status, again.text, again.headers.get("etag")],
          [304, "", etag],
          tag,
        );
      }
      const head = await ask("HEAD", path);
      assert.deepEqual([head.status, head.text, head.headers.get("etag")], [200, "", etag]);
      const packed = await fetch(`${gateway.url}${path}`, {
        headers: { "Accept-Encoding": "gzip" },
      });
      assert.deepEqual([packed.headers.get("etag"), await packed.text()], [etag, one.text]);
    }
    assert.ok(gateway.layers.gateway.notModified >= 16);
  });

  it("are requested from the catalog once, for many callers and every spelling", async () => {
    const asked = (): number =>
      seller.layers.catalog.hits + seller.layers.catalog.misses + seller.layers.catalog.stale;
    const before = asked();
    const type = "concert";
    const spellings = [
      `limit=20&type=${type}`,
      `type=${type}`,
      `type=${type}&limit=20`,
      `type=%63oncert`,
    ].map((query) => `${event}?${query}`);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => ask("GET", spellings[index % 4] ?? "")),
    );
    answers.push(await ask("GET", `${event}/?type=${type}`));
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
    // Bytes are half a second old at most: on a slow machine the 41 take a few questions.
    assert.ok(asked() - before < 10, JSON.stringify([seller.layers, gateway.layers]));
    assertProblem(await ask("GET", `${event}?x=1`), 422, "VALIDATION_ERROR");
    assertProblem(await ask("GET", `${event}/${randomUUID()}`), 404, "EVENT_NOT_FOUND");
    assertProblem(await ask("GET", `${event}/nonsense`), 422, "VALIDATION_ERROR");
    assertProblem(await ask("POST", event), 405, "METHOD_NOT_ALLOWED");
  });

  it("say what is left to sell within two seconds of a sale", async () => {
    // Each question has bytes of its own, and the next tests compare them.
    const shown = async (path: string): Promise<number | undefined> => {
      const { json } = await ask("GET", path);
      const items = (json?.items ?? [json]) as { id: string; available: number }[];
      return items.find(({ id }) => id === eventId)?.available;
    };
    let left = (await shown(`${event}/${eventId}`)) ?? assert.fail();
    const renewed = async (): Promise<boolean> =>
      (await Promise.all(paths().map(shown))).every((number) => (number ?? left) === left);
    const shownAfterMs = await quickestOfThree(2_000, async () => {
      await waitFor(async () => (await buy(randomUUID())).status === 201);
      left -= 1;
      await waitFor(renewed, { withinMs: 20_000, what: "one less in every answer" });
    });
    assert.ok(shownAfterMs < 2_000, `${shownAfterMs} ms`);
  });

  for (const fault of ["away", "freeze"] as const)
    it(`go on while PostgreSQL is ${fault === "away" ? "away" : "frozen"}: all that were seen, each in time; others hear TRY_AGAIN`, async () => {
      const seen = await Promise.all(
        paths().map(async (path) => ({ path, text: (await ask("GET", path)).text })),
      );
      postgres[fault](true);
      let [good, slowestMs, asked] = [0, 0, 0];
      try {
        for (let round = 0; round < 50; round++)
          await Promise.all(
            seen.map(async ({ path, text }) => {
              const startedMs = performance.now();
              const answer = await ask("GET", path);
              slowestMs = Math.max(slowestMs, performance.now() - startedMs);
              asked += 1;
              if (answer.status === 200 && answer.text === text) good += 1;
            }),
          );
        assertProblem(await ask("GET", `${event}?name=${randomUUID()}`), 503, "TRY_AGAIN");
      } finally {
        postgres[fault](false);
      }
      assert.equal(good, asked);
      assert.ok(slowestMs < 2_000, `the slowest took ${Math.round(slowestMs)} ms`);
      await waitFor(async () => (await ask("GET", `${event}?name=${randomUUID()}`)).status === 200);
    });

  it("that are cached stay available while no node runs the catalog", async () => {
    const seen = await Promise.all(
      paths().map(async (path) => ({ path, text: (await ask("GET", path)).text })),
    );
    await seller.stop();
    await waitFor(async () => {
      for (const { path, text } of seen) {
        const answer = await ask("GET", path);
        assert.deepEqual([answer.status, answer.text], [200, text]);
      }
      return gateway.layers.gateway.stale >= seen.length;
    });
    assertProblem(await ask("GET", `${event}?name=unseen`), 503, "TRY_AGAIN");
  });
});
