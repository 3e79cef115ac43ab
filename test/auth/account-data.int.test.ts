// Export and erasure of an account, judged by the schema: a new column about people fails here.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openRedis } from "../../lib/redis/client.ts";
import { PASSWORD, type People, peopleAt, type Tokens } from "../support/fixtures/accounts.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import { waitFor } from "../support/wait-for.ts";

/** Columns that name an account, by what an export says of their rows. */
const NAMING_COLUMNS: Readonly<Record<string, string>> = {
  "user_account.id": "account",
  "user_session.user_id": "sessions",
  "event_tickets.user_id": "tickets",
  "event_ticket_transactions.user_id": "transactions",
  "capacity_ledger.user_id": "transactions",
  "refresh_token.session_id": "nothing: hashes of tokens, and when they were used",
  "notification.account_id": "notifications",
  "account_token.account_id": "nothing: hashes of tokens, which end within seven days",
};

type Data = {
  account: Record<string, unknown>;
  sessions: Record<string, unknown>[];
  tickets: { id: string; eventId: string; status: string; transactionId: string }[];
  transactions: { transactionId: string; eventId: string; quantity: number; at: string }[];
};

describe("a person's own data", () => {
  let engine: Engine;
  let ask: HttpClient;
  let people: People;
  before(async () => {
    engine = await startEngine();
    ask = httpClient(engine.url);
    people = peopleAt(ask);
  });
  after(() => engine.close());

  type Person = Tokens & { email: string; userId: string; ticketIds: string[] };

  /** A customer who signed in twice, bought three tickets, and cancelled one. */
  async function customer(): Promise<Person> {
    const signedIn = await people.signedIn();
    await people.login(signedIn.email, PASSWORD, { "User-Agent": "Another device" });
    const { accessToken: token } = signedIn;
    const eventId = await engine.addEvent();
    const bought = await ask("POST", `/api/events/${eventId}/tickets`, {
      token,
      json: { quantity: 3 },
    });
    assert.equal(bought.status, 201, bought.text);
    const ticketIds = (bought.json?.tickets as { id: string }[]).map(({ id }) => id);
    assert.equal((await ask("DELETE", `/api/tickets/${ticketIds[0]}`, { token })).status, 200);
    const { json } = await ask("GET", "/api/auth/me", { token });
    return { ...signedIn, userId: String(json?.id), ticketIds };
  }

  async function exported({ accessToken: token }: Tokens): Promise<Data> {
    const answer = await ask("GET", "/api/auth/me/export", { token });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(
      answer.headers.get("content-disposition"),
      'attachment; filename="boxoffice-data.json"',
    );
    assert.equal(answer.headers.get("cache-control"), "no-store");
    return answer.json as Data;
  }

  it("S40: every column that names an account is exported, or listed with the reason", async () => {
    const columns = await engine.database.query<{ name: string }>({
      text: `SELECT table_name || '.' || column_name AS name
        FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
        WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND (
          column_name ~ '(^|_)(user|account|customer|person|session)_?id$'
          OR table_name = 'user_account' AND column_name = 'id')`,
    });
    assert.deepEqual(columns.map(({ name }) => name).sort(), Object.keys(NAMING_COLUMNS).sort());
    const columnsOf = async (table: string): Promise<string[]> => {
      const rows = await engine.database.query<{ name: string }>({
        text: `SELECT column_name AS name FROM information_schema.columns
          WHERE table_schema = 'public' AND table_name = $1`,
        values: [table],
      });
      return rows.map(({ name }) => name).sort();
    };
    const person = await customer();
    const { account, sessions } = await exported(person);
    const snake = (name: string): string => name.replaceAll(/[A-Z]/g, "_$&").toLowerCase();
    // Beside these: the folded e-mail, the hash of the password, and the account of a session.
    assert.deepEqual(
      [...Object.keys(account).map(snake), "email_key", "password_hash"].sort(),
      await columnsOf("user_account"),
    );
    assert.deepEqual(
      [...Object.keys(sessions[0] ?? {}).map(snake), "user_id"]
        .map((name) => (name === "ended_at" ? "revoked_at" : name))
        .sort(),
      await columnsOf("user_session"),
    );
  });

  it("S40: an export has all rows of its person, and none of another", async () => {
    const [ada, grace] = [await customer(), await customer()];
    await engine.database.query({
      text: `INSERT INTO capacity_ledger (transaction_id, event_id, user_id, quantity, applied_at)
        SELECT decode(repeat('ab', 64), 'hex'), event_id, user_id, -3, now() FROM event_tickets
        WHERE id = $1`,
      values: [ada.ticketIds[0]],
    });
    const data = await exported(ada);
    assert.deepEqual([data.account.id, data.account.email], [ada.userId, ada.email]);
    assert.equal(data.sessions.length, 2);
    assert.ok(data.sessions.some(({ userAgent }) => userAgent === "Another device"));
    assert.deepEqual(data.tickets.map(({ id }) => id).sort(), ada.ticketIds.sort());
    assert.equal(data.tickets.filter(({ status }) => status === "cancelled").length, 1);
    const old = data.transactions.find(({ transactionId }) => transactionId === "ab".repeat(64));
    assert.equal(old?.quantity, -3);
    const text = JSON.stringify(data);
    for (const other of [grace.userId, grace.email, ...grace.ticketIds])
      assert.ok(!text.includes(other), other);
    assert.doesNotMatch(text, /argon2|passwordHash/);
    assertProblem(await ask("GET", "/api/auth/me/export"), 401, "UNAUTHENTICATED");
  });

  it("an export has more tickets and transactions than one page", async () => {
    const person = await customer();
    await engine.database.query({
      text: `INSERT INTO event_tickets
          (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at)
        SELECT gen_random_uuid(), event_id, user_id, event_date,
          decode(repeat(lpad(to_hex(number), 8, '0'), 16), 'hex'), 1, now()
        FROM event_tickets, generate_series(1, 1100) AS number WHERE id = $1`,
      values: [person.ticketIds[1]],
    });
    await engine.database.query({
      text: `INSERT INTO capacity_ledger (transaction_id, event_id, user_id, quantity, applied_at)
        SELECT transaction_id, event_id, user_id, -1, now() FROM event_tickets
        WHERE user_id = $1 AND ordinal = 1 AND transaction_id < '\\x00ffffff'`,
      values: [person.userId],
    });
    const { tickets, transactions } = await exported(person);
    assert.equal(new Set(tickets.map(({ id }) => id)).size, 1_103);
    assert.ok(transactions.length >= 1_100, `${transactions.length} transactions`);
    assert.equal(
      new Set(transactions.map(({ transactionId }) => transactionId)).size,
      transactions.length,
    );
  });

  it("S40: an erasure leaves no name, e-mail or address in any table or value of Redis", async () => {
    const person = await customer();
    const name = `Quetzalcoatl ${person.userId.slice(0, 8)}`;
    const device = `Device of ${person.userId.slice(0, 8)}`;
    await engine.database.query({
      text: "UPDATE user_account SET name = $2 WHERE id = $1",
      values: [person.userId, name],
    });
    await engine.database.query({
      text: "UPDATE user_session SET user_agent = $2, address = '203.0.113.77' WHERE user_id = $1",
      values: [person.userId, device],
    });
    // A copy of a session with the name, and a copy of the list of tickets.
    await people.refresh(person.refreshToken);
    await ask("GET", "/api/tickets?limit=100", { token: person.accessToken });
    const copy = `user_tickets:${person.userId}`;
    await waitFor(async () => (await redisWith([copy])).length > 0);
    const traces = [name, person.email, device, "203.0.113.77"];
    assert.deepEqual((await tablesWith(traces)).sort(), ["user_account", "user_session"]);

    const { accessToken: token } = person;
    const erased = await ask("DELETE", "/api/auth/me", { token, json: { password: PASSWORD } });
    assert.equal(erased.status, 204, erased.text);

    assert.deepEqual(await tablesWith(traces), []);
    const [mails] = await engine.database.query<{ count: number }>({
      text: "SELECT count(*)::integer AS count FROM notification WHERE account_id = $1",
      values: [person.userId],
    });
    assert.equal(mails?.count, 0, "no notification names the account");
    assert.deepEqual(await redisWith(traces), []);
    assert.deepEqual(await redisWith([copy]), []);
    await people.refused(person.refreshToken);
    assertProblem(await people.login(person.email), 401, "INVALID_CREDENTIALS");
    assertProblem(await ask("GET", "/api/auth/me", { token }), 401, "UNAUTHENTICATED");
    const [left] = await engine.database.query<{ count: number }>({
      text: "SELECT count(*)::integer AS count FROM event_tickets WHERE user_id = $1",
      values: [person.userId],
    });
    assert.equal(left?.count, 3, "tickets stay, as those of an id");

    const again = await ask("POST", "/api/auth/register", {
      json: { email: person.email, password: PASSWORD, name: "Ada" },
    });
    assert.equal(again.status, 201, again.text);
    assert.notEqual(again.json?.id, person.userId);
    const signedIn = await people.login(person.email);
    const listed = await ask("GET", "/api/tickets", { token: String(signedIn.json?.accessToken) });
    assert.deepEqual(listed.json?.items, [], "the new account has none of the old tickets");
  });

  it("S40: an erasure wants the password", async () => {
    const person = await people.signedIn();
    const { accessToken: token } = person;
    const erase = (json: object) => ask("DELETE", "/api/auth/me", { token, json });
    assertProblem(await erase({ password: "another password" }), 401, "INVALID_CREDENTIALS");
    assertProblem(await erase({}), 422, "VALIDATION_ERROR");
    assertProblem(
      await ask("DELETE", "/api/auth/me", { json: { password: PASSWORD } }),
      401,
      "UNAUTHENTICATED",
    );
    assert.equal((await people.login(person.email)).status, 200);
  });

  /** The tables that have one of the texts in a column of any type. */
  async function tablesWith(texts: readonly string[]): Promise<string[]> {
    const tables = await engine.database.query<{ name: string }>({
      text: "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
    });
    const found: string[] = [];
    for (const { name } of tables) {
      const [row] = await engine.database.query<{ found: boolean }>({
        text: `SELECT EXISTS (SELECT FROM "${name}" AS one, unnest($1::text[]) AS trace
          WHERE position(lower(trace) IN lower(one::text)) > 0) AS found`,
        values: [texts],
      });
      if (row?.found === true) found.push(name);
    }
    return found;
  }

  /** The keys of Redis that contain one of the texts, in their name or value. */
  async function redisWith(texts: readonly string[]): Promise<string[]> {
    const redis = openRedis(engine.config.redisUrl ?? "", () => undefined);
    await waitFor(() => redis.status === "ready");
    const keys = await redis.keys("*");
    assert.ok(keys.length > 0, "Redis has keys");
    const found: string[] = [];
    for (const key of keys) {
      const dumped = (await redis.dumpBuffer(key))?.toString("latin1") ?? "";
      const kind = await redis.type(key);
      const value =
        kind === "string"
          ? ((await redis.get(key)) ?? "")
          : kind === "hash"
            ? JSON.stringify(await redis.hgetall(key))
            : dumped;
      if (texts.some((text) => `${key} ${value}`.toLowerCase().includes(text.toLowerCase())))
        found.push(key);
    }
    redis.disconnect();
    return found;
  }
});
