// Logs without secrets: the redaction of single lines, and all output of a node.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { redacted } from "../../lib/observability/redaction.ts";
import { httpClient } from "../support/http/http.ts";
import { type CommandWorld, openCommandWorld } from "../support/processes/start-command.ts";

const PASSWORD = "plain pigeons prefer puddles";

describe("redaction", () => {
  it("S28: what looks like a secret is taken out of every line", () => {
    const token = `eyJhbGciOiJIUzUxMiJ9.${"a".repeat(40)}.${"b".repeat(40)}`;
    const random = "Zx3_kQ9-bT7vN2mL5pR8sW1yC4dF6gH0jK3aE9uI1oX";
    const secrets = [
      "hunter2 with spaces",
      token,
      random,
      "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
      "s3cretPassw",
    ];
    const [word, , , hash, server] = secrets;
    const logged = [
      JSON.stringify({
        params: { password: word, newPassword: `${word}"\\x` },
        refreshToken: random,
        authorization: `Bearer ${token}`,
      }),
      JSON.stringify({
        msg: `the body was {"password":"${word}"}`,
        stack: `{ password: '${word}' }`,
        passwordHash: hash,
      }),
      JSON.stringify({
        msg: `Bearer ${token}`,
        err: `connect postgres://u:${server}@db:5432/x`,
        cookie: `refresh=${random}`,
      }),
      JSON.stringify({
        msg: `refresh token ${random} was used`,
        url: `/api?access_token=${random}&x=1`,
      }),
      `plain text, ${hash} and ${token}`,
    ];
    for (const line of logged)
      for (const secret of secrets)
        assert.ok(!redacted(line).includes(secret ?? ""), redacted(line));
    for (const line of logged.slice(0, 4)) JSON.parse(redacted(line));
    const harmless = JSON.stringify({
      what: "purchase",
      transactionId: "ab".repeat(64),
      userId: randomUUID(),
      nodeID: `boxoffice-purchasing-${"7".repeat(22)}`,
    });
    assert.equal(redacted(harmless), harmless);
  });
});

describe("everything a node writes", () => {
  let world: CommandWorld;
  before(async () => (world = await openCommandWorld()));
  after(() => world.close());

  it("S28: holds no password, token or secret, at the most talkative level, and the audit trail among it", async () => {
    const command = world.start({ LOG_LEVEL: "trace" });
    const ask = httpClient(await command.address());
    const email = `${randomUUID()}@example.com`;
    const credentials = { email, password: PASSWORD };
    await ask("POST", "/api/auth/register", { json: { ...credentials, name: "Ada" } });
    await ask("POST", "/api/auth/login", { json: { email, password: `${PASSWORD}!` } });
    const { json } = await ask("POST", "/api/auth/login", {
      json: { ...credentials, delivery: "body" },
    });
    const [token, refreshToken] = [String(json?.accessToken), String(json?.refreshToken)];
    const renewed = await ask("POST", "/api/auth/refresh", { json: { refreshToken } });
    const [event] = (await ask("GET", "/api/events?limit=1")).json?.items as { id: string }[];
    const bought = await ask("POST", `/api/events/${event?.id ?? ""}/tickets`, { token, json: {} });
    assert.equal(bought.status, 201, bought.text);
    await ask("POST", "/api/auth/password", {
      token,
      json: { currentPassword: PASSWORD, newPassword: `${PASSWORD} and ponds` },
    });
    await command.stop();
    const said = command.said() + readFileSync(join(world.dataDir, "audit.log"), "utf8");
    for (const what of ["registration", "sign-in", "refresh", "purchase", "password change"])
      assert.ok(said.includes(`"what":"${what}"`), what);
    const secrets = [
      PASSWORD,
      token,
      refreshToken,
      String(renewed.json?.accessToken),
      String(renewed.json?.refreshToken),
      "$argon2",
    ];
    for (const name of ["internal_token_secret", "transaction_secret", "refresh_token_secret"])
      secrets.push(readFileSync(join(world.dataDir, "secrets", name), "utf8"));
    for (const secret of secrets)
      assert.ok(secret.length > 5 && !said.includes(secret), "a secret was written");
    assert.doesNotMatch(said, /eyJ[\w-]{10,}\./);
  });
});
