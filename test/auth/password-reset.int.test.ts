// Links in e-mails, from the request over HTTP to a real SMTP server and back.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { type Engine, startEngine } from "../support/engine.ts";
import { PASSWORD, type People, peopleAt, tokensOf } from "../support/fixtures/accounts.ts";
import { type SmtpFixture, startSmtp } from "../support/mail/smtp.ts";
import { assertThrottled } from "../support/fixtures/throttled.ts";
import { type Answered, assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import { waitFor } from "../support/wait-for.ts";

const NEW_PASSWORD = "nine quiet lanterns drift";
const SITE = "https://tickets.example.com";

describe("links in e-mails", () => {
  let smtp: SmtpFixture;
  let engine: Engine;
  let ask: HttpClient;
  let people: People;
  before(async () => {
    smtp = await startSmtp();
    engine = await startEngine({
      SERVICES: "api,auth,notifier",
      SMTP_URL: smtp.url,
      PUBLIC_URL: SITE,
    });
    ask = httpClient(engine.url);
    people = peopleAt(ask);
  });
  after(async () => {
    await engine.close();
    await smtp.close();
  });

  const request = (email: string): Promise<Answered> =>
    ask("POST", "/api/auth/password-reset", { json: { email } });
  const reset = (token: string, password = NEW_PASSWORD): Promise<Answered> =>
    ask("POST", "/api/auth/password-reset/confirm", { json: { token, password } });
  /** Waits for the n-th mail of this subject to the address, and returns its link's token. */
  const tokenFor = (email: string, subject: RegExp, nth = 1): Promise<string> =>
    waitFor(
      () => {
        const mails = [...smtp.accepted.values()]
          .flat()
          .filter((mail) => mail.to?.[0]?.address === email && subject.test(mail.subject ?? ""));
        return /#token=([\w-]{43})\b/.exec(mails[nth - 1]?.text ?? "")?.[1];
      },
      { withinMs: 60_000, what: `A link for ${email} has come` },
    );
  const RESET = /new password/;
  const linkFor = async (email: string, nth = 1): Promise<string> => {
    assert.equal((await request(email)).status, 202);
    return tokenFor(email, RESET, nth);
  };

  it("S35: a link sets a password once, ends all sessions and the other links", async () => {
    const { email, refreshToken } = await people.signedIn();
    const [first, second] = [await linkFor(email, 1), await linkFor(email, 2)];
    assert.notEqual(first, second);
    // A weak password, and one that is too short, leave the link as it is.
    assertProblem(await reset(first, "password1234"), 422, "PASSWORD_TOO_WEAK", ["detail"]);
    assertProblem(await reset(first, "short"), 422, "VALIDATION_ERROR", ["errors"]);
    const answers = await Promise.all(Array.from({ length: 4 }, () => reset(first)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [204, 410, 410, 410]);
    for (const token of [first, second]) assertProblem(await reset(token), 410, "LINK_INVALID");
    await people.refused(refreshToken);
    assertProblem(await people.login(email), 401, "INVALID_CREDENTIALS");
    tokensOf(await people.login(email, NEW_PASSWORD));
  });

  it("S35: a link works for 30 minutes", async () => {
    const email = await people.person();
    const token = await linkFor(email);
    const [row] = await engine.database.query<{ leftS: number }>({
      text: `SELECT extract(epoch FROM expires_at - clock_timestamp())::float8 AS "leftS"
        FROM account_token JOIN user_account ON id = account_id
        WHERE email = $1 AND purpose = 'password-reset'`,
      values: [email],
    });
    assert.ok((row?.leftS ?? 0) > 25 * 60 && (row?.leftS ?? 0) <= 30 * 60, `${row?.leftS} s`);
    await engine.database.query({
      text: "UPDATE account_token SET expires_at = clock_timestamp() - interval '1 ms'",
    });
    assertProblem(await reset(token), 410, "LINK_INVALID");
    tokensOf(await people.login(email));
  });

  it("S35: a changed password ends the links that were asked for before", async () => {
    const { email, accessToken } = await people.signedIn();
    const token = await linkFor(email);
    const json = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD };
    const changed = await ask("POST", "/api/auth/password", { token: accessToken, json });
    assert.equal(changed.status, 204, changed.text);
    assertProblem(await reset(token, PASSWORD), 410, "LINK_INVALID");
  });

  it("S35: tokens are stored hashed, and the key of a mail is no token", async () => {
    const email = await people.person();
    const token = await linkFor(email);
    const [row] = await engine.database.query<{ rows: string }>({
      text: `SELECT concat((SELECT json_agg(t) FROM account_token AS t),
        (SELECT json_agg(n) FROM notification AS n)) AS rows`,
    });
    const hex = Buffer.from(token, "base64url").toString("hex");
    const ascii = Buffer.from(token).toString("hex");
    for (const secret of [token, hex, ascii]) assert.ok(!row?.rows.includes(secret), secret);
    assert.ok(!row?.rows.includes(email), "no address");
    assertProblem(await reset("A".repeat(43)), 410, "LINK_INVALID");
  });

  it("S35: an unknown address gets the same answer, in the same time, and no mail", async () => {
    const email = await people.person();
    const rowsOf = async (): Promise<number> => {
      const [row] = await engine.database.query<{ rows: number }>({
        text: `SELECT ((SELECT count(*) FROM account_token) +
          (SELECT count(*) FROM notification))::integer AS rows`,
      });
      return row?.rows ?? 0;
    };
    const measured = async (who: string) => {
      const before = await rowsOf();
      const startedAt = performance.now();
      const { status, text, headers } = await request(who);
      const ms = performance.now() - startedAt;
      const names = [...headers.keys()].sort();
      return { answer: { status, text, names, rows: (await rowsOf()) - before }, ms };
    };
    const strangers: string[] = [];
    const [known, unknown]: [number[], number[]] = [[], []];
    for (let round = 0; round < 40; round += 1) {
      const stranger = `${randomUUID()}@example.org`;
      strangers.push(stranger);
      const [one, other] = [await measured(email), await measured(stranger)];
      assert.deepEqual(one.answer, other.answer);
      assert.equal(one.answer.rows, 2, "both write a token and a notification");
      known.push(one.ms);
      unknown.push(other.ms);
    }
    const median = (times: number[]): number => times.sort((a, b) => a - b)[20] ?? 0;
    const [fast, slow] = [median(known), median(unknown)].sort((a, b) => a - b) as [number, number];
    // A commit more or less would be a multiple. The noise of a busy machine is not.
    assert.ok(slow < 2 * fast + 2, `${fast} ms and ${slow} ms`);
    await tokenFor(email, RESET, 40);
    const sentTo = [...smtp.accepted.values()].flat().map(({ to }) => to?.[0]?.address);
    assert.deepEqual(
      strangers.filter((stranger) => sentTo.includes(stranger)),
      [],
    );
  });

  it("S35: requests are throttled for an address, known or not", async () => {
    const limited = await engine.startNode({ SERVICES: "api", RATE_LIMITS: "on" });
    const gateway = httpClient(limited.url ?? "");
    for (const email of [await people.person(), `${randomUUID()}@example.org`]) {
      const again = () => gateway("POST", "/api/auth/password-reset", { json: { email } });
      for (let count = 0; count < 5; count += 1) assert.equal((await again()).status, 202);
      assertThrottled(await again(), "links", 3_600);
    }
    await limited.stop();
  });

  it("confirms an address by the link of the first mail, or of one that is sent again", async () => {
    const { email, accessToken } = await people.signedIn();
    const preferences = async () =>
      (await ask("GET", "/api/auth/preferences", { token: accessToken })).json;
    assert.deepEqual(await preferences(), { language: "en", mailsOff: [], emailConfirmed: false });
    const CONFIRM = /Confirm/;
    const first = await tokenFor(email, CONFIRM);
    const path = "/api/auth/email-confirmation";
    assert.equal((await ask("POST", path, { token: accessToken })).status, 202);
    const second = await tokenFor(email, CONFIRM, 2);
    const confirm = (token: string) => ask("POST", `${path}/confirm`, { json: { token } });
    // A token of one purpose is none of the other.
    assertProblem(await reset(first), 410, "LINK_INVALID");
    assert.equal((await confirm(second)).status, 204);
    assertProblem(await confirm(second), 410, "LINK_INVALID");
    assert.equal((await preferences())?.emailConfirmed, true);
  });

  it("writes in the language and of the kinds that a person chooses", async () => {
    const email = `${randomUUID()}@example.org`;
    const json = { email, password: PASSWORD, name: "Ada", language: "de" };
    assert.equal((await ask("POST", "/api/auth/register", { json })).status, 201);
    await tokenFor(email, /^Bestätigen/);
    const { accessToken: token } = tokensOf(await people.login(email));
    const change = (body: object) => ask("POST", "/api/auth/preferences", { token, json: body });
    assert.deepEqual((await change({ mailsOff: ["receipt"] })).json, {
      language: "de",
      mailsOff: ["receipt"],
      emailConfirmed: false,
    });
    assert.equal((await change({ language: "en" })).json?.language, "en");
    await linkFor(email);
    assertProblem(await change({ mailsOff: ["password-reset"] }), 422, "VALIDATION_ERROR", [
      "errors",
    ]);
  });
});
