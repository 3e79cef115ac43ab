// npx boxoffice repl --as: who acts, how that is proved, and that the audit trail says both.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { actAsPerson } from "../../cli/repl/operator-identity.ts";
import { createPasswords } from "../../services/auth/password-hashing.ts";
import { EngineProblem, joinEngine } from "../../tools/engine/connect.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { type Repl, replOf } from "../support/processes/repl.ts";
import { waitFor } from "../support/wait-for.ts";

const PASSWORD = "plain pigeons prefer puddles";
const ADA = "ada@example.com";
const BOB = "bob@example.com";

describe("npx boxoffice repl --as", () => {
  const [ada, bob] = [randomUUID(), randomUUID()];
  let engine: Engine;
  let open: Repl;

  before(async () => {
    engine = await startEngine({ SERVICES: "auth,catalog" });
    open = replOf(engine);
    const hashed = await createPasswords().hash(PASSWORD);
    assert.ok(hashed.ok);
    const text = `INSERT INTO user_account (id, email, email_key, name, password_hash, role)
      VALUES ($1, $3, $3, 'Ada', $5, 'operator'), ($2, $4, $4, 'Bob', $5, 'customer')`;
    await engine.database.query({ text, values: [ada, bob, ADA, BOB, hashed.value] });
  });
  after(async () => {
    open.close();
    await engine.close();
  });

  const as = (email: string, environment: Record<string, string>) =>
    open.piped(["flush", "q"], environment, ["--as", email, "--yes"]);
  const flushes = (): { userId: string; proof: string }[] =>
    readFileSync(engine.config.auditFile ?? "", "utf8")
      .split("\n")
      .filter((line) => line.includes('"what":"catalog.flush"'))
      .map((line) => JSON.parse(line) as { userId: string; proof: string });
  /** The last act of the trail, when there are so many. */
  const act = async (count: number): Promise<[userId: string, proof: string]> => {
    const found = await waitFor(() => flushes().length >= count && flushes(), {
      withinMs: 20_000,
      what: `${count} acts are in the audit trail`,
    });
    assert.equal(found.length, count);
    const { userId = "", proof = "" } = found.at(-1) ?? {};
    return [userId, proof];
  };

  it("acts as a person whose password or token proves it, and says how in the audit trail", async () => {
    const byPassword = await as(ADA, { OPERATOR_PASSWORD: PASSWORD });
    assert.equal(byPassword.code, 0, byPassword.errors);
    assert.match(byPassword.output, /for ada@example\.com, proved by password;[^]*Done\. Gateways/);
    assert.deepEqual(await act(1), [ada, "password"]);

    const byToken = await as(ADA, { OPERATOR_TOKEN: engine.accessToken(ada, "operator") });
    assert.match(byToken.output, /for ada@example\.com, proved by token;[^]*Done\. Gateways/);
    assert.deepEqual(await act(2), [ada, "token"]);

    const unnamed = await open.piped(["flush", "q"], {}, ["--yes"]);
    assert.match(unnamed.output, /for an unnamed operator[^]*Done\. Gateways/);
    assert.deepEqual(await act(3), ["00000000-0000-0000-0000-000000000000", "secret"]);

    const rows = { text: "SELECT FROM user_session WHERE revoked_at IS NULL" };
    assert.equal((await engine.database.query(rows)).length, 0, "no session is left open");
  });

  it("refuses a name without its proof", async () => {
    const { OPERATOR_TOKEN, ...nothing } = { OPERATOR_TOKEN: engine.accessToken(bob, "operator") };
    const tries: [email: string, environment: Record<string, string>, words: RegExp][] = [
      [ADA, nothing, /--as needs a proof: set OPERATOR_PASSWORD or OPERATOR_TOKEN/],
      [ADA, { OPERATOR_PASSWORD: `${PASSWORD}!` }, /The password is wrong/],
      ["eve@example.com", { OPERATOR_PASSWORD: PASSWORD }, /The password is wrong, or no account/],
      [BOB, { OPERATOR_PASSWORD: PASSWORD }, /bob@example\.com is no operator of this engine/],
      [ADA, { OPERATOR_TOKEN }, /is not this operator's/],
      [BOB, { OPERATOR_TOKEN }, /is not this operator's/],
      [ADA, { OPERATOR_TOKEN: "nonsense" }, /is not this operator's/],
    ];
    const joined = await joinEngine(engine.environment, { as: "console", needs: "auth" });
    try {
      for (const [email, environment, words] of tries)
        await assert.rejects(
          actAsPerson(joined, email, environment),
          (error) => error instanceof EngineProblem && words.test(error.message),
        );
    } finally {
      await joined.broker.stop();
    }
    const before = flushes().length;
    const { code, output, errors } = await as(ADA, { OPERATOR_PASSWORD: `${PASSWORD}!` });
    assert.equal(code, 1, output);
    assert.equal(errors, "The password is wrong, or no account has this e-mail address.\n");
    assert.equal(flushes().length, before);
  });

  it("asks for the password at a terminal, and shows nothing of it", async () => {
    const question = /Password of ada@example\.com: /;
    const typist = await open.typist(`--as ${ADA}`, { question, keys: `${PASSWORD}\r` });
    assert.match(typist.screen(), /for ada@example\.com, proved by password/);
    assert.ok(!typist.screen().includes("pigeons"), typist.screen());
    assert.equal(await typist.leave(), 0);
  });
});
