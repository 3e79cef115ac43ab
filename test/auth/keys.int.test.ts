// Access tokens at the door of a running engine, and the keys behind them changing while it runs.
import assert from "node:assert/strict";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import {
  addAccessKey,
  readAccessKeys,
  removeRetiredKeys,
  signingKeyOf,
  verifyingKeysOf,
} from "../../lib/auth/key-store.ts";
import { createInternalTokenMint } from "../../lib/auth/jwt.ts";
import { ACCESS_TOKEN_LIFE_MS, createAccessTokenSigner } from "../../lib/auth/access-token.ts";
import type { RunningNode } from "../../main.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { type People, peopleAt, tokensOf } from "../support/fixtures/accounts.ts";
import { forgedTokens, honestToken, partsOf } from "../support/http/forged-tokens.ts";
import { assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import { waitFor } from "../support/wait-for.ts";
import { runBoxoffice } from "../support/processes/boxoffice.ts";

describe("access tokens at the gateway", () => {
  let engine: Engine;
  let auth: RunningNode;
  let ask: HttpClient;
  let people: People;
  let email: string;
  before(async () => {
    // The gateway's node has no auth: it knows of keys what it is told.
    engine = await startEngine({ SERVICES: "api,catalog,purchasing" });
    auth = await engine.startNode({ SERVICES: "auth" });
    ask = httpClient(engine.url);
    await waitFor(async () => (await ask("GET", "/readyz")).status === 200, { withinMs: 10_000 });
    people = peopleAt(ask);
    email = await people.person();
  });
  after(() => engine.close());

  const login = async (): Promise<string> => tokensOf(await people.login(email)).accessToken;
  const kidOf = (token: string): string => partsOf(token).header.kid as string;
  const tickets = (token: string) => ask("GET", "/api/tickets", { token });
  const published = async (): Promise<string[]> =>
    ((await ask("GET", "/.well-known/jwks.json")).json?.keys as { kid: string }[]).map(
      ({ kid }) => kid,
    );
  const keys = async (...words: string[]): Promise<string> => {
    const ended = await runBoxoffice({ DATA_DIR: engine.config.dataDir }, ["keys", ...words]);
    assert.equal(ended.code, 0, ended.error);
    return ended.out;
  };
  const files = (): string[] => readdirSync(engine.config.accessTokenKeysDir).sort();

  it("S13: are checked whole: each forgery, an internal token and an old one are a 401 at every route that wants one", async () => {
    const { signingKey, config } = engine;
    const userId = randomUUID();
    assert.equal(
      (await tickets(honestToken(signingKey, userId))).status,
      200,
      "the forging itself works",
    );
    const internal = createInternalTokenMint(config.internalTokenSecret)({
      userId,
      role: "operator",
    });
    for (const [name, token] of Object.entries({
      ...forgedTokens(signingKey, userId),
      "an internal token": internal,
    })) {
      for (const [method, path] of [
        ["GET", "/api/tickets"],
        ["GET", "/api/auth/me"],
        ["POST", `/api/events/${randomUUID()}/tickets`],
      ] as const) {
        const answer = await ask(method, path, { token });
        assert.equal(answer.json?.code, "UNAUTHENTICATED", `${name}: ${answer.text}`);
        assertProblem(answer, 401, "UNAUTHENTICATED");
      }
    }
    const old = createAccessTokenSigner(signingKey)(
      { userId, role: "customer", sessionId: "s" },
      Date.now() - ACCESS_TOKEN_LIFE_MS - 1_500,
    );
    assertProblem(await tickets(old), 401, "TOKEN_EXPIRED");
  });

  it("S13: name whom, which session, which key and themselves", async () => {
    const token = await login();
    const { header, claims } = partsOf(token);
    assert.deepEqual(Object.keys(header).sort(), ["alg", "kid", "typ"]);
    assert.deepEqual(Object.keys(claims).sort(), [
      "aud",
      "exp",
      "iat",
      "iss",
      "jti",
      "role",
      "sid",
      "sub",
    ]);
    assert.equal(Number(claims.exp) - Number(claims.iat), 3_600);
    assert.deepEqual(await published(), [header.kid]);
    const jwks = (await ask("GET", "/.well-known/jwks.json")).text;
    assert.doesNotMatch(jwks, /"d"/);
    assert.notEqual(partsOf(await login()).claims.jti, claims.jti);
  });

  it("outlive a change of keys without a restart: the new one signs, a deleted one fails", async () => {
    const old = await login();
    const [first = ""] = files();
    assert.match(await keys("rotate", "--in", "3600"), /signs from .* kid/);
    const [, resting = ""] = files();
    await waitFor(async () => (await published()).length === 2, {
      withinMs: 10_000,
      what: "the next key is published",
    });
    assert.equal(kidOf(await login()), kidOf(old), "a key rests before it signs");
    rmSync(join(engine.config.accessTokenKeysDir, resting));

    await keys("rotate", "--in", "0");
    const fresh = await waitFor(async () => {
      const token = await login();
      return kidOf(token) !== kidOf(old) && token;
    });
    assert.equal((await tickets(fresh)).status, 200, "a gateway asks for a key it does not know");
    assert.equal((await tickets(old)).status, 200);
    assert.deepEqual(await published(), [kidOf(old), kidOf(fresh)]);
    assert.match(await keys("list"), new RegExp(`${first} .* verifies\\n.*${kidOf(fresh)}  signs`));

    rmSync(join(engine.config.accessTokenKeysDir, first));
    await waitFor(async () => (await tickets(old)).status === 401, {
      withinMs: 15_000,
      what: "the deleted key's tokens are refused",
    });
    assert.equal((await tickets(fresh)).status, 200);
  });

  it("are verified while auth is down or its folder is broken, except those of new keys", async () => {
    const token = await login();
    const spoilt = join(engine.config.accessTokenKeysDir, "20200101T000000Z.pem");
    writeFileSync(spoilt, "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n");
    const { privateKey } = generateKeyPairSync("ed25519");
    const unknown = createAccessTokenSigner(privateKey)({
      userId: randomUUID(),
      role: "customer",
      sessionId: "s",
    });
    assertProblem(await tickets(unknown), 401, "UNAUTHENTICATED");
    await waitFor(async () => kidOf(await login()) === kidOf(token));
    rmSync(spoilt);
    await auth.stop();
    assert.equal((await tickets(token)).status, 200);
    await waitFor(async () => (await tickets(unknown)).status === 503);
    assertProblem(await tickets(unknown), 503, "TRY_AGAIN");
    assertProblem(await tickets(`${token.slice(0, -4)}AAAA`), 401, "UNAUTHENTICATED");
  });
});

describe("a folder of keys", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "boxoffice-keys-"))));
  const HOUR_MS = 3_600_000;

  it("keeps a key until no token of it can be alive, and then deletes it", () => {
    const nowMs = Date.parse("2026-11-22T12:00:00Z");
    const [retired, verifying, signing, next] = [-5, -3, -1, 1].map(
      (hours) => addAccessKey(folder, nowMs + hours * HOUR_MS).file,
    );
    const keys = readAccessKeys(folder);
    assert.equal(signingKeyOf(keys, nowMs).file, signing);
    assert.equal(
      signingKeyOf(keys, nowMs - 9 * HOUR_MS).file,
      retired,
      "before its time the first signs",
    );
    assert.equal(next, "20261122T130000Z.pem");
    assert.deepEqual(
      verifyingKeysOf(keys, nowMs).map(({ file }) => file),
      [verifying, signing, next],
    );
    assert.deepEqual(removeRetiredKeys(folder, nowMs), [retired]);
    assert.deepEqual(removeRetiredKeys(folder, nowMs + 5 * 60_000), [verifying]);
    assert.equal(readAccessKeys(folder).length, 2);
  });

  it("is refused with file and remedy for a wrong name or key, without its content", () => {
    assert.throws(() => readAccessKeys(folder), /has no key.*npx boxoffice keys rotate/);
    assert.throws(() => readAccessKeys(join(folder, "missing")), /has no key/);
    writeFileSync(join(folder, "20261122T130000Z.pem"), "a secret");
    assert.throws(
      () => readAccessKeys(folder),
      (error: Error) =>
        error.message.includes("T130000Z.pem is not an Ed25519") &&
        !error.message.includes("a secret"),
    );
    rmSync(join(folder, "20261122T130000Z.pem"));
    for (const name of ["key.pem", "20261322T130000Z.pem"]) {
      writeFileSync(join(folder, name), "");
      assert.throws(() => readAccessKeys(folder), /not named by the time/);
      rmSync(join(folder, name));
    }
  });
});
