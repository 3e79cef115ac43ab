// Accounts and sign-in through the gateway, on a real PostgreSQL. An attacker learns nothing.
import assert from "node:assert/strict";
import { createPublicKey, type JsonWebKey, randomUUID, verify } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { hash } from "@node-rs/argon2";
import { weaknessOf } from "../../services/auth/password-strength.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import { waitFor } from "../support/wait-for.ts";

const PASSWORD = "correct horse battery";

describe("auth", () => {
  let engine: Engine;
  let ask: HttpClient;
  before(async () => {
    engine = await startEngine({ SERVICES: "api,auth", RATE_LIMITS: "off" });
    ask = httpClient(engine.url);
  });
  after(() => engine.close());

  const address = (): string => `${randomUUID()}@example.org`;
  const register = (email: string, password = PASSWORD, more = {}) =>
    ask("POST", "/api/auth/register", { json: { email, password, name: "Ada", ...more } });
  const login = (email: string, password = PASSWORD, more = {}) =>
    ask("POST", "/api/auth/login", { json: { email, password, ...more } });

  it("registers a customer, once for each mailbox", async () => {
    const id = randomUUID();
    const answer = await register(`Zoë.${id}@Example.org`);
    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual(Object.keys(answer.json ?? {}).sort(), ["email", "id", "name", "role"]);
    assert.deepEqual(
      { ...answer.json, id: "" },
      { id: "", email: `Zoë.${id}@Example.org`, name: "Ada", role: "customer" },
    );
    assertProblem(await register(`ZOE\u0308.${id.toUpperCase()}@example.ORG`), 409, "EMAIL_TAKEN");

    const raced = address();
    const statuses = (await Promise.all(Array.from({ length: 6 }, () => register(raced)))).map(
      ({ status }) => status,
    );
    assert.deepEqual(statuses.sort(), [201, 409, 409, 409, 409, 409]);
  });

  it("S36: signs in with a password in NFC and NFD, and renews a hash of before", async () => {
    const [nfc = "", nfd = ""] = ["NFC", "NFD"].map((form) => "größer als Paläste".normalize(form));
    const email = address();
    assert.equal((await register(email, nfc)).status, 201);
    for (const typed of [nfc, nfd]) assert.equal((await login(email, typed)).status, 200);

    const values = [email, await hash(nfd, { memoryCost: 19_456, timeCost: 2, parallelism: 1 })];
    const text = "UPDATE user_account SET password_hash = $2 WHERE email = $1";
    await engine.database.query({ text, values });
    assertProblem(await login(email, nfc), 401, "INVALID_CREDENTIALS");
    for (const typed of [nfd, nfd, nfc]) assert.equal((await login(email, typed)).status, 200);
  });

  it("trims addresses and names, and refuses names in which nothing can be seen", async () => {
    const email = address();
    const { status, json } = await register(` ${email}\t`, PASSWORD, { name: " Ada \u00a0" });
    assert.deepEqual([status, json?.email, json?.name], [201, email, "Ada"]);
    assert.equal((await login(`\n${email} `)).status, 200);
    assertProblem(await register(email), 409, "EMAIL_TAKEN");
    for (const name of [" ", "\t\u00a0\u2003", "\u200b", "\u3164", "\u2800", "\u0301", "\u202e"])
      assertProblem(await register(address(), PASSWORD, { name }), 422, "VALIDATION_ERROR");
  });

  it("signs in with a token that its published key verifies, and shows who one is", async () => {
    const email = address();
    const { json: user } = await register(email);
    const session = await login(` ${email.toUpperCase()}`, PASSWORD, { delivery: "body" });
    assert.equal(session.status, 200, session.text);
    const {
      accessToken = "",
      refreshToken = "",
      ...rest
    } = session.json as { accessToken?: string; refreshToken?: string };
    assert.match(refreshToken, /^[\w-]{43}$/);
    assert.deepEqual(rest, { tokenType: "Bearer", expiresIn: 3_600, user });
    assert.deepEqual(
      [session.headers.get("cache-control"), session.headers.get("set-cookie")],
      ["no-store", null],
    );

    const jwks = await ask("GET", "/.well-known/jwks.json");
    const [key] = jwks.json?.keys as (JsonWebKey & { kid: string })[];
    assert.ok(key);
    const [header = "", claims = "", signature = ""] = accessToken.split(".");
    assert.equal(
      (JSON.parse(Buffer.from(header, "base64url").toString()) as { kid: string }).kid,
      key.kid,
    );
    assert.ok(
      verify(
        null,
        Buffer.from(`${header}.${claims}`),
        createPublicKey({ key, format: "jwk" }),
        Buffer.from(signature, "base64url"),
      ),
    );

    assert.deepEqual((await ask("GET", "/api/auth/me", { token: accessToken })).json, user);
    await engine.database.query({
      text: "DELETE FROM user_account WHERE id = $1",
      values: [user?.id],
    });
    assertProblem(await ask("GET", "/api/auth/me", { token: accessToken }), 401, "UNAUTHENTICATED");
  });

  it("S11: gives nothing away by answer or by time whether there is an account", async () => {
    const email = address();
    await register(email);
    const measured = async (who: string) => {
      const startedAt = performance.now();
      const answer = await login(who, "the wrong password");
      return { answer, ms: performance.now() - startedAt };
    };
    const rounds: {
      known: Awaited<ReturnType<typeof measured>>;
      unknown: Awaited<ReturnType<typeof measured>>;
    }[] = [];
    const fastest = (which: "known" | "unknown"): number =>
      Math.min(...rounds.map((round) => round[which].ms));
    const ratio = (): number => fastest("unknown") / fastest("known");
    // The fastest of several tries measures the work itself. A busy machine needs more tries; a
    // leak stays visible.
    while (rounds.length < 6 || (rounds.length < 40 && (ratio() < 0.7 || ratio() > 1.4)))
      rounds.push({ known: await measured(email), unknown: await measured(address()) });
    for (const { known, unknown } of rounds) {
      assertProblem(known.answer, 401, "INVALID_CREDENTIALS");
      assert.deepEqual(
        { ...unknown.answer.json, requestId: "" },
        { ...known.answer.json, requestId: "" },
      );
      assert.deepEqual([...unknown.answer.headers.keys()], [...known.answer.headers.keys()]);
    }
    assert.ok(
      ratio() > 0.7 && ratio() < 1.4,
      `unknown ${fastest("unknown").toFixed(0)} ms, known ${fastest("known").toFixed(0)} ms`,
    );
  });

  it("S9: takes 12 to 128 characters as they are", async () => {
    const refused = {
      eleven: "x".repeat(11),
      "six emoji": "🎟".repeat(6),
      "129": "x".repeat(129),
      NUL: "twelve chars\0",
    };
    for (const password of Object.values(refused))
      assertProblem(await register(address(), password), 422, "VALIDATION_ERROR");
    const longest = `${"seven owls read maps under a paper moon; ".repeat(4).slice(0, 126)}🎟a`;
    assert.equal(Array.from(longest).length, 128);
    const pairs: [string, string][] = [
      [longest, `${longest.slice(0, -1)}b`],
      ["🎟🎤🎸🥁🎺🎻🪕🎷🎹🪘🎧🎼", "🎟🎤🎸🥁🎺🎻🪕🎷🎹🪘🎧🎧"],
      ["Correct Horse", "correct horse"],
      [" twelve chars ", "twelve chars"],
      ["caf\u00e9 caf\u00e9 caf\u00e9", "cafe cafe cafe"],
    ];
    for (const [password, almost] of pairs) {
      const email = address();
      assert.equal((await register(email, password)).status, 201, password);
      assert.equal((await login(email, password)).status, 200, password);
      assertProblem(await login(email, almost), 401, "INVALID_CREDENTIALS");
    }
  });

  it("S8: stores argon2id hashes, each with a salt of its own, and never answers with one", async () => {
    const emails = [address(), address()];
    const answers = await Promise.all(emails.map((email) => register(email)));
    const rows = await engine.database.query<{ password_hash: string }>({
      text: "SELECT password_hash FROM user_account WHERE email = ANY($1)",
      values: [emails],
    });
    const [first, second] = rows.map((row) => row.password_hash);
    for (const hash of [first, second])
      assert.match(hash ?? "", /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    assert.notEqual(first, second);
    for (const { text } of answers) assert.doesNotMatch(text, /argon2|password|horse/);
  });

  it("takes only the fields it offers, and addresses mail could be sent to", async () => {
    for (const more of [
      { role: "operator" },
      { id: randomUUID() },
      { emailKey: "x" },
      { passwordHash: "x" },
    ])
      assertProblem(await register(address(), PASSWORD, more), 422, "VALIDATION_ERROR");
    for (const email of [
      "",
      "ada",
      "ada@",
      "@example.org",
      "ada@example",
      "a b@example.org",
      "ada@example..org",
      "ada@-example.org",
      ".ada@example.org",
      `${"x".repeat(65)}@example.org`,
      "a\n@example.org",
      "ada@example.org\0",
      '"ada"@example.org',
      "ada@exa_mple.org",
      `a@${"x".repeat(250)}.org`,
    ])
      assertProblem(await register(email), 422, "VALIDATION_ERROR");
    for (const json of [
      {},
      [],
      { email: address() },
      { email: [address()], password: PASSWORD },
      { email: address(), password: PASSWORD, delivery: "pigeon" },
    ])
      assertProblem(await ask("POST", "/api/auth/login", { json }), 422, "VALIDATION_ERROR");
    assertProblem(await ask("POST", "/api/auth/login"), 422, "VALIDATION_ERROR");
    for (const more of [{ name: "" }, { name: "x".repeat(101) }])
      assertProblem(await register(address(), PASSWORD, more), 422, "VALIDATION_ERROR");
    assert.equal((await register(address(), PASSWORD, { name: "🎟".repeat(100) })).status, 201);
  });

  it("S10: refuses passwords that would be guessed, says why and what to do, and repeats nothing of them", async () => {
    const id = randomUUID().slice(0, 8);
    const email = `lovelace.${id}@example.org`;
    const cases: [string, RegExp][] = [
      ["password1234", /most used/],
      ["qwertyuiop12", /most used|keyboard/],
      ["P@ssw0rd1234", /most used/],
      ["123456789012", /most used|sequence/],
      ["letmeinletmein", /repeats/],
      ["abcdefghijklmn", /sequence/],
      ["x".repeat(128), /repeats/],
      [email, /your own e-mail/],
      [email.toUpperCase(), /your own e-mail/],
      [`lovelace${id}`, /your own e-mail/],
      ["Lovelace1815", /your own e-mail/],
    ];
    for (const [password, why] of cases) {
      const answer = await register(email, password);
      assertProblem(answer, 422, "PASSWORD_TOO_WEAK");
      const detail = String(answer.json?.detail);
      assert.match(detail, why, password);
      assert.match(detail, /Choose a longer one: four or five words/);
      assert.ok(!answer.text.toLowerCase().includes(password.toLowerCase()), answer.text);
    }
    assertProblem(await login(email, "password1234"), 401, "INVALID_CREDENTIALS");
    for (const password of [
      "correct horse battery",
      "correct horse battery staple",
      "k7#pQz!9mLw2",
      "caf\u00e9 caf\u00e9 caf\u00e9",
    ])
      assert.equal((await register(address(), password)).status, 201, password);
  });

  it("S10: a hundred ways to keep the estimator busy cost less than a password's hash each", () => {
    // The processor's time and not the clock's, which others on the machine make longer.
    const before = process.cpuUsage();
    for (const seed of ["p@ssw0rd", "4@8({[<369&#!1|0$5+7%2/", "1990", "qwerty12", "4444"])
      for (let count = 0; count < 20; count += 1)
        weaknessOf(`${count}${seed.repeat(40)}`.slice(0, 128), [`${seed}@example.org`.repeat(10)]);
    const { user, system } = process.cpuUsage(before);
    const eachMs = (user + system) / 100_000;
    assert.ok(eachMs < 70, `${eachMs.toFixed(1)} ms`);
  });

  it("S8: lets a flood of logins wait in a short line, and turns the rest away at once", async () => {
    const email = address();
    await register(email);
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => login(email, "the wrong password")),
    );
    const turnedAway = answers.filter(({ status }) => status === 503);
    for (const answer of turnedAway) {
      assertProblem(answer, 503, "TRY_AGAIN");
      assert.equal(answer.headers.get("retry-after"), "1");
    }
    assert.equal(answers.filter(({ status }) => status === 401).length + turnedAway.length, 200);
    assert.ok(turnedAway.length > 0, `${turnedAway.length} were turned away`);
    // Logins that timed out at the gateway may still wait for their hash.
    const what = "A login works after the flood";
    await waitFor(async () => (await login(email)).status === 200, { withinMs: 30_000, what });
  });
});
