// Rate limits: what they count, that gateways share counts, and that they work without Redis.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { keyOfAddress } from "../../services/api/http/rate-limits.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { type Answered, type HttpClient, httpClient, sendRaw } from "../support/http/http.ts";
import { numbersWhenQuiet, tally } from "../support/fixtures/sales.ts";
import { openTcpProxy } from "../../tools/chaos/network/tcp-proxy.ts";
import { assertThrottled, letIn } from "../support/fixtures/throttled.ts";
import { waitFor } from "../support/wait-for.ts";

const PASSWORD = "plain pigeons prefer puddles";
const THROTTLED = "429 TOO_MANY_REQUESTS";

describe("limits", () => {
  let engine: Engine;
  let ask: HttpClient;
  let elsewhere: HttpClient;
  /** A gateway of the same engine that trusts no X-Forwarded-For. */
  let direct: HttpClient;
  const gateway = async (
    environment = {},
  ): Promise<{ ask: HttpClient; stop: () => Promise<void> }> => {
    const node = await engine.startNode({ SERVICES: "api", ...environment });
    const client = httpClient(node.url ?? "");
    await waitFor(async () => (await client("GET", "/readyz")).status === 200, {
      withinMs: 15_000,
      what: "The gateway is ready",
    });
    return { ask: client, stop: () => node.stop() };
  };
  before(async () => {
    engine = await startEngine({ RATE_LIMITS: "on", TRUSTED_PROXIES: "127.0.0.1" });
    ask = httpClient(engine.url);
    elsewhere = (await gateway()).ask;
    direct = (await gateway({ TRUSTED_PROXIES: "" })).ask;
  });
  after(() => engine.close());

  let addresses = 0;
  const newAddress = (): string => `198.18.${(addresses += 1) >> 8}.${addresses & 255}`;
  const from = (address: string): { headers: Record<string, string> } => ({
    headers: { "X-Forwarded-For": address },
  });
  const register = async (address = newAddress()): Promise<string> => {
    const email = `${randomUUID()}@example.com`;
    const { status, text } = await ask("POST", "/api/auth/register", {
      ...from(address),
      json: { email, password: PASSWORD, name: "Ada" },
    });
    assert.equal(status, 201, text);
    return email;
  };
  const signIn = (
    email: string,
    password: string,
    address = newAddress(),
    client = ask,
  ): Promise<Answered> =>
    client("POST", "/api/auth/login", { ...from(address), json: { email, password } });
  const wrongly = async (email: string, count: number, client = ask) => {
    const answers: Answered[] = [];
    for (let index = 0; index < count; index += 1)
      answers.push(await signIn(email, `wrong password ${index}`, newAddress(), client));
    return tally(answers);
  };

  it("S5: a burst of purchases is throttled, says so, and affects no other caller", async () => {
    const eventId = await engine.addEvent({ capacity: 1_000 });
    const [token, other] = [engine.accessToken(), engine.accessToken()];
    const buy = (client: HttpClient, who = token) =>
      client("POST", `/api/events/${eventId}/tickets`, { token: who, json: {} });
    const first = await buy(ask);
    assert.equal(first.headers.get("ratelimit-policy"), '"purchase";q=60;w=10');
    assert.match(first.headers.get("ratelimit") ?? "", /^"purchase";r=59;t=\d+$/);
    const answers = await Promise.all(Array.from({ length: 80 }, () => buy(ask)));
    const counts = tally(answers);
    assert.equal(counts[THROTTLED], 21, JSON.stringify(counts));
    // A busy machine may answer 503 to some that were let in.
    const { "201": sold = 0 } = counts;
    assert.ok(sold > 0 && sold <= 9, JSON.stringify(counts));
    assertThrottled(answers.find(({ status }) => status === 429) ?? assert.fail(), "purchase", 10);
    assert.equal((await buy(ask, other)).status, 201);
    // The other gateway hears of it: well before it has let through as many again.
    let through = 0;
    await waitFor(async () => (await buy(elsewhere)).status === 429 || (through += 1) >= 60, {
      withinMs: 9_000,
    });
    assert.ok(through < 50, `${through} more through the other gateway`);
  });

  it("S5: searches are counted together by all gateways, within a second or two", async () => {
    const where = from(newAddress());
    const burst = async (client: HttpClient, count: number) =>
      tally(
        await Promise.all(
          Array.from({ length: count }, () => client("GET", "/api/events?limit=1", where)),
        ),
      );
    assert.equal(letIn(await burst(ask, 300)), 300);
    assert.equal(letIn(await burst(elsewhere, 299)), 299);
    const search = () => elsewhere("GET", "/api/events?limit=1", where);
    let through = 0;
    const refused = await waitFor(
      async () => ((await search()).status === 429 ? search() : (through += 1) && undefined),
      {
        withinMs: 9_000,
      },
    );
    assertThrottled(refused, "search", 10);
    assert.ok(through < 280, `${through} more than the limit`);
    assert.equal((await ask("GET", "/api/events?limit=1", from(newAddress()))).status, 200);
  });

  it("S5: an address has a ceiling for everything, pages and unknown paths too, whatever tokens it brings", async () => {
    const address = newAddress();
    const where = from(address);
    // One pipeline: a busy machine must reach the ceiling within its ten seconds too.
    const requests = Array.from({ length: 3_200 }, (_, index) =>
      [
        `GET ${index % 2 ? "/healthz" : "/nothing"} HTTP/1.1`,
        "Host: localhost",
        `X-Forwarded-For: ${address}`,
        ...(index === 3_199 ? ["Connection: close"] : []),
        "\r\n",
      ].join("\r\n"),
    );
    const text = await sendRaw(engine.url, requests.join(""));
    assert.match(text, /^HTTP\/1\.1 404 Not Found/);
    assert.match(text, /HTTP\/1\.1 429 Too Many Requests/);
    assertThrottled(await ask("GET", "/", where), "address", 10);
    assert.equal((await ask("GET", "/", from(newAddress()))).status, 200);
  });

  it("S5: X-Forwarded-For evades nothing: it counts only as far as trusted proxies have written it", async () => {
    const weak = { password: "password1234", name: "Ada" };
    const attempt = (client: HttpClient, forwarded: string) =>
      client("POST", "/api/auth/register", {
        ...from(forwarded),
        json: { ...weak, email: `${randomUUID()}@example.com` },
      });
    const proxied = newAddress();
    const ways: [HttpClient, (index: number) => string][] = [
      [direct, (index) => `203.0.113.${index}`],
      [ask, (index) => `203.0.113.${index}, 127.0.0.1, ${proxied}`],
      [ask, (index) => `2001:db8:1:2:${index}::1`],
    ];
    for (const [client, forwarded] of ways) {
      const answers: Answered[] = [];
      for (let index = 0; index < 32; index += 1)
        answers.push(await attempt(client, forwarded(index)));
      assert.deepEqual(
        tally(answers),
        { "422 PASSWORD_TOO_WEAK": 30, [THROTTLED]: 2 },
        forwarded(0),
      );
      assertThrottled(answers.at(-1) ?? assert.fail(), "registration", 600);
    }
    assert.equal((await attempt(ask, newAddress())).status, 422);
    assert.deepEqual(
      ["2001:DB8::1", "::1", "10.0.0.1", "2001:db8:0001:2:3:4:5:6"].map(keyOfAddress),
      ["2001:db8:0:0", "0:0:0:0", "10.0.0.1", "2001:db8:1:2"],
    );
  });

  it("S6: buying and giving back in turn is throttled, and every place comes back", async () => {
    const [eventId, another] = [await engine.addEvent({ capacity: 20 }), await engine.addEvent()];
    const token = engine.accessToken();
    const buy = (id = eventId) => ask("POST", `/api/events/${id}/tickets`, { token, json: {} });
    const answers: Answered[] = [];
    for (let cycle = 0; cycle < 100; cycle += 1) {
      const bought = await buy();
      answers.push(bought);
      if (bought.status !== 201) continue;
      const [ticket] = bought.json?.tickets as { id: string }[];
      assert.equal(
        (await ask("DELETE", `/api/tickets/${ticket?.id}`, { token })).status,
        200,
        "what was bought can be given back",
      );
    }
    const { "201": sold = 0, [THROTTLED]: throttled = 0, ...rest } = tally(answers);
    assert.deepEqual(rest, {});
    assert.ok(
      sold >= 20 && sold <= 22 && sold + throttled === 100,
      `${sold} sold, ${throttled} throttled`,
    );
    assertThrottled(answers.at(-1) ?? assert.fail(), "churn", 600);
    assert.equal((await buy(another)).status, 201, "another event is another matter");
    const { tickets, available, capacity } = await numbersWhenQuiet(engine, eventId);
    assert.deepEqual({ tickets, available, capacity }, { tickets: 0, available: 20, capacity: 20 });
  });

  it("S12: ten wrong passwords, and the account rests as long as it says, on every gateway and over a restart; then the owner is back", async () => {
    const email = await register();
    assert.deepEqual(await wrongly(email, 10), { "401 INVALID_CREDENTIALS": 10 });
    const stranger = await signIn(`${randomUUID()}@example.com`, PASSWORD);
    assert.match(
      stranger.headers.get("ratelimit") ?? "",
      /^"sign-in-address";r=99;/,
      "an answer tells of its own address only",
    );
    const restart = await gateway();
    const respelled = ` ${email.toUpperCase()} `;
    const refused = await signIn(respelled, PASSWORD, newAddress(), elsewhere);
    const restsS = assertThrottled(refused, "sign-in", 10);
    const untilMs = performance.now() + restsS * 1_000;
    await restart.stop();
    const restarted = await gateway();
    assertThrottled(await signIn(email, PASSWORD, newAddress(), restarted.ask), "sign-in", 10);
    await waitFor(
      async () => (await signIn(email, PASSWORD, newAddress(), restarted.ask)).status === 200,
      { withinMs: 20_000 },
    );
    assert.ok(performance.now() < untilMs + 5_000, "no longer than was said");
    assert.ok(performance.now() > untilMs - 1_500, "and no shorter");
    // A right password forgets the wrong ones.
    assert.deepEqual(await wrongly(email, 10), { "401 INVALID_CREDENTIALS": 10 });
  });

  it("S12: the rest grows from round to round, and unknown accounts rest as known ones do", async () => {
    const email = `${randomUUID()}@example.com`;
    assert.deepEqual(await wrongly(email, 10), { "401 INVALID_CREDENTIALS": 10 });
    assertThrottled(await signIn(email, PASSWORD), "sign-in", 10);
    await waitFor(async () => (await signIn(email, PASSWORD)).status === 401, { withinMs: 20_000 });
    assert.deepEqual(await wrongly(email, 9), { "401 INVALID_CREDENTIALS": 9 });
    assert.ok(assertThrottled(await signIn(email, PASSWORD), "sign-in", 20) > 15);
  });

  it("S12: strangers cannot lock the owner out of an address from which the owner has signed in", async () => {
    const email = await register();
    const home = newAddress();
    assert.equal((await signIn(email, PASSWORD, home)).status, 200);
    assert.deepEqual(await wrongly(email, 12), { "401 INVALID_CREDENTIALS": 10, [THROTTLED]: 2 });
    assert.equal((await signIn(email, PASSWORD, home)).status, 200);
    assertThrottled(await signIn(email, PASSWORD), "sign-in", 10);
  });

  it("S12: an address that tries a hundred accounts is throttled; right passwords do not count", async () => {
    const address = newAddress();
    const email = await register();
    for (let round = 0; round < 4; round += 1) {
      const tries = Array.from({ length: 25 }, () =>
        signIn(`${randomUUID()}@example.com`, PASSWORD, address),
      );
      assert.deepEqual(tally(await Promise.all(tries)), { "401 INVALID_CREDENTIALS": 25 });
      if (round < 3) assert.equal((await signIn(email, PASSWORD, address)).status, 200);
    }
    assertThrottled(await signIn(email, PASSWORD, address), "sign-in-address", 600);
    assert.equal((await signIn(email, PASSWORD)).status, 200);
  });

  it("S12: a present password is no easier to guess by its change", async () => {
    const email = await register();
    const { json } = await signIn(email, PASSWORD);
    const token = String(json?.accessToken);
    const change = () =>
      ask("POST", "/api/auth/password", {
        token,
        ...from(newAddress()),
        json: { currentPassword: "wrong", newPassword: `${PASSWORD} again` },
      });
    const answers: Answered[] = [];
    for (let index = 0; index < 12; index += 1) answers.push(await change());
    assert.deepEqual(tally(answers), { "401 INVALID_CREDENTIALS": 10, [THROTTLED]: 2 });
  });

  it("S30: without Redis, away or frozen, every limit goes on in the process", async () => {
    const proxy = await openTcpProxy(engine.config.redisUrl ?? "");
    const alone = await gateway({ REDIS_URL: proxy.url });
    try {
      for (const fault of ["away", "freeze"] as const) {
        proxy[fault](true);
        const email = `${randomUUID()}@example.com`;
        assert.deepEqual(
          await wrongly(email, 12, alone.ask),
          { "401 INVALID_CREDENTIALS": 10, [THROTTLED]: 2 },
          fault,
        );
        const [token, where] = [engine.accessToken(), from(newAddress())];
        const path = `/api/events/${randomUUID()}/tickets`;
        const buys = await Promise.all(
          Array.from({ length: 80 }, () => alone.ask("POST", path, { token, json: {} })),
        );
        assert.deepEqual(tally(buys), { "404 EVENT_NOT_FOUND": 60, [THROTTLED]: 20 }, fault);
        const searches = await Promise.all(
          Array.from({ length: 700 }, () => alone.ask("GET", "/api/events?limit=1", where)),
        );
        const tallied = tally(searches);
        assert.deepEqual([letIn(tallied), tallied[THROTTLED]], [600, 100], fault);
        proxy[fault](false);
      }
    } finally {
      await alone.stop();
      await proxy.close();
    }
  });
});
