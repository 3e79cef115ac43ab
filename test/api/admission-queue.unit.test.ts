import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { openExchange, shed } from "../../services/api/handling/handle-request.ts";
import { API_ROUTES } from "../../services/api/routes/index.ts";
import { resourcesOf } from "../../services/api/routing/compile-route.ts";
import { createAdmissionQueue } from "../../services/api/server/admission-queue.ts";
import { createAdmission } from "../../services/api/server/admission.ts";

const PATH = "/api/events/{eventId}/tickets";

it("the line does so much work a turn, and the rest in order in the turns that follow", async () => {
  const { admit: line } = createAdmissionQueue({ perTurn: 2 });
  const done: number[] = [];
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  for (let number = 1; number <= 5; number++) line(() => void done.push(number));
  assert.deepEqual(done, [1, 2], "the first two tasks do not wait");
  await turn();
  assert.deepEqual(done, [1, 2, 3, 4]);
  line(() => void done.push(6));
  assert.deepEqual(done, [1, 2, 3, 4], "a later task does not overtake");
  await turn();
  assert.deepEqual(done, [1, 2, 3, 4, 5, 6]);
  await turn();
  line(() => void done.push(7));
  assert.deepEqual(done.at(-1), 7, "an empty line is no line");
});

const never = (): void => assert.fail("refused");

describe("purchases that wait for their turn", () => {
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it("start at once while there is room, and in order of arrival when there is not", async () => {
    const { purchase: queue } = createAdmission(() => 0);
    const started: number[] = [];
    for (let number = 0; number < 450; number++) queue(() => void started.push(number), never);
    assert.equal(started.length, 200);
    await turn();
    queue(() => void started.push(450), never);
    assert.ok(started.length >= 400 && started.length < 450, `${started.length} have started`);
    await turn();
    await turn();
    assert.deepEqual(started, [...Array(451).keys()]);
  });

  it("start in smaller numbers where turns are long, and in larger ones where they are short", async () => {
    for (const [turnMs, grows] of [
      [100, false],
      [1, true],
    ] as const) {
      let nowMs = 0;
      const { purchase: queue } = createAdmission(() => nowMs);
      let started = 0;
      for (let number = 0; number < 2_000; number++) queue(() => (started += 1), never);
      const sizes: number[] = [];
      for (let before = started; sizes.length < 4; before = started) {
        nowMs += turnMs;
        await turn();
        sizes.push(started - before);
      }
      assert.deepEqual(sizes, grows ? [210, 220, 230, 240] : [160, 128, 102, 81]);
    }
  });

  it("come before searches: a long turn takes from the searches that wait", async () => {
    let nowMs = 0;
    const { purchase, search } = createAdmission(() => nowMs);
    const counts = { purchase: 0, search: 0 };
    for (let number = 0; number < 4_000; number++) {
      search(() => (counts.search += 1));
      purchase(() => (counts.purchase += 1), never);
    }
    const sizes: number[][] = [];
    for (let before = { ...counts }; sizes.length < 14; before = { ...counts }) {
      nowMs += 45;
      await turn();
      sizes.push([counts.search - before.search, counts.purchase - before.purchase]);
    }
    assert.deepEqual(sizes.slice(0, 4), [
      [160, 200],
      [128, 200],
      [102, 200],
      [100, 200],
    ]);
    assert.deepEqual(sizes.at(-1), [100, 200]);
  });

  it("are refused, the oldest first, when they have waited too long", async () => {
    let nowMs = 0;
    const { purchase: queue } = createAdmission(() => nowMs);
    const [started, shed]: [number[], number[]] = [[], []];
    for (let number = 0; number < 250; number++) {
      nowMs = number < 220 ? 0 : 300;
      queue(
        () => void started.push(number),
        () => void shed.push(number),
      );
    }
    nowMs = 800;
    await turn();
    assert.deepEqual(
      shed,
      [...Array(20).keys()].map((number) => 200 + number),
    );
    assert.equal(started.length, 230);
  });
});

describe("a purchase for which the gateway has no time", () => {
  let server: Server;
  before(async () => {
    const resource = resourcesOf(API_ROUTES).find(({ path }) => path === PATH) ?? assert.fail();
    const deps = { audit: () => undefined, client: { addressOf: () => "" } } as never;
    server = createServer((request, response) =>
      shed(deps, openExchange(deps, resource, { params: {}, queryText: "" }, request, response)),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(() => server.close());

  const buy = async (headers: Record<string, string> = {}) => {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", headers });
    const { code } = (await response.json()) as { code: string };
    return { code, retryAfter: response.headers.get("Retry-After") };
  };

  it("is told to try again, since its new key was never sold", async () => {
    assert.deepEqual(await buy(), { code: "TRY_AGAIN", retryAfter: "1" });
  });

  it("is not told so of its own key, which may be sold", async () => {
    const heard = await buy({ "Idempotency-Key": "mine" });
    assert.deepEqual(heard, { code: "OUTCOME_UNKNOWN", retryAfter: null });
  });
});
