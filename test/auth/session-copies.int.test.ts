// Refreshes while PostgreSQL is silent are answered from copies in Redis, as far as they may be.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { openRedis, type RedisClient } from "../../lib/redis/client.ts";
import { openTcpProxy, type TcpProxy } from "../../tools/chaos/network/tcp-proxy.ts";
import { type People, peopleAt, type Tokens, tokensOf } from "../support/fixtures/accounts.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import { waitFor } from "../support/wait-for.ts";

type Claims = { sub: string; sid: string; iat: number; exp: number };

describe("sessions while PostgreSQL is down", () => {
  let engine: Engine;
  let postgres: TcpProxy;
  let redis: RedisClient;
  let ask: HttpClient;
  let { signedIn, refresh } = {} as People;
  before(async () => {
    engine = await startEngine({ SERVICES: "ledger" });
    redis = openRedis(engine.config.redisUrl ?? "", () => undefined);
    postgres = await openTcpProxy(engine.config.databaseUrl ?? "");
    const node = await engine.startNode({ SERVICES: "api,auth", DATABASE_URL: postgres.url });
    ask = httpClient(node.url ?? assert.fail("a gateway"));
    ({ signedIn, refresh } = peopleAt(ask));
    await answers();
  });
  afterEach(() => postgres.freeze(false));
  after(async () => {
    redis.disconnect();
    await engine.close();
    await postgres.close();
  });

  /** Waits until PostgreSQL answers for the tokens of sessions: this one is none. */
  const answers = () =>
    waitFor(async () => (await refresh("x".repeat(43))).status === 401, {
      withinMs: 30_000,
      what: "An answer from PostgreSQL",
    });
  const claimsOf = ({ accessToken }: Tokens): Claims =>
    JSON.parse(Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString()) as Claims;
  const copies = async (): Promise<string[]> => (await redis.keys("session_copy:*")).sort();
  /** Copies are written in the background. */
  const copied = (count: number) =>
    waitFor(async () => (await copies()).length === count, {
      withinMs: 10_000,
      what: `${count} copies`,
    });
  const assertRefused = async (token: string): Promise<void> =>
    assertProblem(await refresh(token), 503, "TRY_AGAIN");

  it("give the same refresh token, and an access token that ends when the last one does", async () => {
    await redis.flushdb();
    const first = await signedIn();
    await copied(1);
    postgres.freeze(true);
    const answer = await refresh(first.refreshToken);
    const again = tokensOf(answer);
    assert.equal(again.refreshToken, first.refreshToken);
    const [one, other] = [claimsOf(first), claimsOf(again)];
    assert.deepEqual([other.sub, other.sid], [one.sub, one.sid]);
    assert.ok(Math.abs(other.exp - one.exp) <= 1, `${other.exp} and ${one.exp}`);
    const expiresIn = Number(answer.json?.expiresIn);
    assert.ok(expiresIn > 3_000 && expiresIn <= 3_600, `${expiresIn} s`);

    postgres.freeze(false);
    const next = await waitFor(async () => {
      const { status, json } = await refresh(first.refreshToken);
      return status === 200 && json?.refreshToken !== first.refreshToken
        ? (json as unknown as Tokens)
        : undefined;
    });
    assert.equal((await ask("GET", "/api/auth/me", { token: next.accessToken })).status, 200);
    postgres.freeze(true);
    await assertRefused(first.refreshToken);
    assert.equal(tokensOf(await refresh(next.refreshToken)).refreshToken, next.refreshToken);
  });

  it("S15: are refused after a logout, by any token of the session, and after a logout everywhere", async () => {
    for (const end of ["logout", "logout-all"] as const) {
      await redis.flushdb();
      const first = await signedIn();
      const second = tokensOf(await refresh(first.refreshToken));
      await copied(1);
      const ended = await ask("POST", `/api/auth/${end}`, {
        token: second.accessToken,
        json: end === "logout" ? { refreshToken: first.refreshToken } : {},
      });
      assert.equal(ended.status, 204, ended.text);
      await waitFor(async () => (await redis.keys("session_copies_ended:*")).length === 1);
      postgres.freeze(true);
      await assertRefused(second.refreshToken);
      await assertRefused(first.refreshToken);
      postgres.freeze(false);
      await answers();
    }
  });

  it("cannot be made or read in Redis", async () => {
    await redis.flushdb();
    const [one, other] = [await signedIn(), await signedIn()];
    await copied(2);
    const [a = "", b = ""] = await copies();
    const [copyOfA, copyOfB] = [await redis.getBuffer(a), await redis.getBuffer(b)];
    assert.ok(copyOfA && copyOfB);
    for (const copy of [copyOfA, copyOfB])
      assert.doesNotMatch(copy.toString("latin1"), /example|customer|issuedAtMs/);
    await redis.mset(a, copyOfB, b, copyOfA);
    postgres.freeze(true);
    for (const { refreshToken } of [one, other]) await assertRefused(refreshToken);
    await redis.mset(a, "{}", b, copyOfB);
    const found = [await refresh(one.refreshToken), await refresh(other.refreshToken)];
    assert.deepEqual(found.map(({ status }) => status).sort(), [200, 503]);
  });
});
