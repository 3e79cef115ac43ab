// Tests the status of the whole engine. A silent node does not delay it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { engineStatus } from "../../services/api/routes/engine-status.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import { quickestOfThree, waitFor } from "../support/wait-for.ts";

type Status = Awaited<ReturnType<typeof engineStatus>>;

describe("the engine's status", () => {
  let engine: Engine;
  let ask: HttpClient;
  let operator: string;
  before(async () => {
    engine = await startEngine();
    ask = httpClient(engine.url);
    operator = engine.accessToken(undefined, "operator");
  });
  after(() => engine.close());

  const status = async (): Promise<Status> => {
    const answer = await ask("GET", "/api/operator/engine", { token: operator });
    assert.equal(answer.status, 200, answer.text);
    return answer.json as Status;
  };

  it("is for operators", async () => {
    assertProblem(await ask("GET", "/api/operator/engine"), 401, "UNAUTHENTICATED");
    assertProblem(
      await ask("GET", "/api/operator/engine", { token: engine.accessToken() }),
      403,
      "FORBIDDEN",
    );
  });

  it("tells of workers, the ledger, its queue, layers and streams, by counts that grow", async () => {
    const [eventId, quiet] = [await engine.addEvent({ capacity: 20 }), await engine.addEvent()];
    const before = await status();
    assert.ok(!before.workers.some((worker) => worker.eventId === quiet), "no purchase yet");
    for (let bought = 0; bought < 3; bought += 1)
      assert.equal(
        (
          await ask("POST", `/api/events/${eventId}/tickets`, {
            token: engine.accessToken(),
            json: { quantity: 2 },
          })
        ).status,
        201,
      );
    await ask("GET", "/api/events?limit=3");
    const now = await waitFor(async () => {
      const seen = await status();
      return seen.ledger?.pendingRows === 0 && (seen.ledger.appliedRows ?? 0) >= 3 && seen;
    });
    assert.ok(Date.parse(now.at) >= Date.parse(before.at));
    const worker =
      now.workers.find((one) => one.eventId === eventId) ??
      assert.fail("the event's worker is there");
    assert.deepEqual(
      [worker.available, worker.sales, worker.tickets, worker.mailbox, worker.degraded],
      [14, 3, 6, 0, false],
    );
    assert.equal(worker.node, now.nodes[0]?.node);
    assert.deepEqual(now.nodes[0]?.services, [
      "api",
      "auth",
      "catalog",
      "purchasing",
      "ledger",
      "notifier",
    ]);
    assert.deepEqual(now.queue, { ready: 0, dead: 0, consumers: 1 });
    assert.ok((now.layers.gateway.misses ?? 0) > (before.layers.gateway.misses ?? 0));
    assert.equal(now.streams.open, 0);
  });

  it("comes within two seconds and names who is silent", async () => {
    const { broker } = await engine.startNode({ SERVICES: "api" });
    broker.createService({
      name: "purchasing",
      actions: { workers: { auth: "operator", handler: () => new Promise(() => undefined) } },
    });
    await waitFor(async () =>
      (await status()).nodes.some(
        ({ node, services }) => node === broker.nodeID && services.includes("purchasing"),
      ),
    );
    let now = await status();
    const answeredMs = await quickestOfThree(2_000, async () => (now = await status()));
    assert.ok(answeredMs < 2_000, `${answeredMs} ms`);
    const silent = now.nodes.flatMap(({ node, silent: names }) =>
      names.length > 0 ? [[node, names]] : [],
    );
    assert.deepEqual(silent, [[broker.nodeID, ["purchasing"]]]);
    assert.ok(now.workers.length > 0, "what the others know is there");
  });
});
