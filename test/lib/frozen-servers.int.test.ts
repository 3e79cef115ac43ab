// Freezes (SIGSTOP) and kills each server while every kind of request runs. No request takes
// longer than two seconds, what does not need the server continues, and all recovers by itself.
// The file has its own servers, a gateway, and the services on a second node.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { type Environment, readConfig } from "../../config/index.ts";
import { type RunningNode, startNode } from "../../main.ts";
import { readAccessKeys, signingKeyOf } from "../../lib/auth/key-store.ts";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import { createAccessTokenSigner } from "../../lib/auth/access-token.ts";
import { demoEvents } from "../../tools/demo/demo-catalog.ts";
import { migrate, readMigrations } from "../../tools/database/migrations.ts";
import type { ServerName } from "../../tools/dev-servers/binaries.ts";
import { type RunningServers, startServers } from "../../tools/dev-servers/servers.ts";
import { eventId } from "../../lib/ids.ts";
import { insertEvents } from "../../services/catalog/events/event-store.ts";
import { freezeProcess } from "../../tools/testing/freeze-process.ts";
import { type HttpClient, httpClient } from "../support/http/http.ts";
import { PASSWORD, peopleAt, type Tokens } from "../support/fixtures/accounts.ts";
import { temporaryFolder } from "../support/processes/processes.ts";
import { waitFor } from "../support/wait-for.ts";

/** DESIGN.md promises two seconds. A purchase in flight has 0.5 s more to learn its outcome. */
const LONGEST_MS = 2_000;
const IN_FLIGHT_MS = 2_500;
/** Other tests share this machine: a process that did not run cannot have answered. */
const SLACK_MS = 500;

type Operation =
  | "seen search"
  | "new search"
  | "event"
  | "filters"
  | "buy"
  | "cancel"
  | "tickets"
  | "sign-in"
  | "refresh"
  | "me"
  | "alive";
const ALL: readonly Operation[] = [
  "seen search",
  "new search",
  "event",
  "filters",
  "buy",
  "cancel",
  "tickets",
  "sign-in",
  "refresh",
  "me",
  "alive",
];

/** What works without each server. All else is a 503: TRY_AGAIN, or OUTCOME_UNKNOWN in flight. */
const GOES_ON: Record<ServerName, readonly Operation[]> = {
  redis: ALL,
  rabbitmq: ALL,
  postgres: ["seen search", "event", "filters", "tickets", "alive"],
  nats: ["seen search", "event", "filters", "alive"],
};

describe("a server that is frozen, then one that is dead", () => {
  const { folder, remove } = temporaryFolder();
  let servers: RunningServers;
  let gateway: RunningNode;
  let services: RunningNode;
  let database: Database;
  let ask: HttpClient;
  let id: string;
  let person: Tokens & { email: string };
  let newBuyer: () => string;
  let bought: { ticketId: string; token: string };

  before(async () => {
    servers = await startServers({ dataDir: folder, report: () => undefined, restart: true });
    const { urls } = servers;
    await migrate(urls.DATABASE_URL ?? "", readMigrations());
    const environment: Environment = {
      PORT: "0",
      RATE_LIMITS: "on",
      LOG_LEVEL: "fatal",
      AUDIT_FILE: join(folder, "audit.log"),
      DATA_DIR: folder,
      ...urls,
    };
    const config = readConfig({
      ...environment,
      NODE_ID: "services",
      SERVICES: "auth,catalog,purchasing,ledger",
    });
    services = await startNode(config);
    const sign = createAccessTokenSigner(
      signingKeyOf(readAccessKeys(config.accessTokenKeysDir), Date.now()).privateKey,
    );
    newBuyer = () => sign({ userId: randomUUID(), role: "customer", sessionId: randomUUID() });
    gateway = await startNode(readConfig({ ...environment, NODE_ID: "gateway", SERVICES: "api" }));
    ask = httpClient(gateway.url ?? "");
    database = openDatabase(urls.DATABASE_URL ?? "", "long");
    const events = [...demoEvents(50, Date.now(), 30)].map((event) => ({
      ...event,
      totalCapacity: 10_000,
    }));
    await insertEvents(database, events);
    id = eventId(events[0] ?? assert.fail("an event"));
    await waitFor(async () => (await ask("GET", "/readyz")).status === 200, { withinMs: 60_000 });
    person = await waitFor(() => peopleAt(ask).signedIn(), { withinMs: 30_000 });
    await waitFor(async () => (await operation("buy")).status === 201, { withinMs: 20_000 });
  });
  after(async () => {
    await Promise.all([gateway.stop(), services.stop()]);
    await database.close();
    await servers.stop();
    remove();
  });

  const operation = async (name: Operation) => {
    const { accessToken: token, email, refreshToken } = person;
    switch (name) {
      case "seen search":
        return ask("GET", "/api/events?limit=10");
      case "new search":
        return ask("GET", `/api/events?name=${randomUUID()}`);
      case "event":
        return ask("GET", `/api/events/${id}`);
      case "filters":
        return ask("GET", "/api/events/filters");
      case "buy": {
        // A new buyer each time, so that no limit applies.
        const buyer = newBuyer();
        const answer = await ask("POST", `/api/events/${id}/tickets`, {
          token: buyer,
          json: {},
          headers: { "Idempotency-Key": "key" },
        });
        const [ticket] = (answer.json?.tickets ?? []) as { id: string }[];
        if (ticket !== undefined) bought = { ticketId: ticket.id, token: buyer };
        return answer;
      }
      case "cancel":
        return ask("DELETE", `/api/tickets/${bought.ticketId}`, { token: bought.token });
      case "tickets":
        return ask("GET", "/api/tickets", { token });
      case "sign-in":
        return ask("POST", "/api/auth/login", {
          json: { email, password: PASSWORD, delivery: "body" },
        });
      case "refresh": {
        const answer = await ask("POST", "/api/auth/refresh", { json: { refreshToken } });
        if (answer.status === 200)
          person = { ...person, refreshToken: answer.json?.refreshToken as string };
        return answer;
      }
      case "me":
        return ask("GET", "/api/auth/me", { token });
      case "alive":
        return ask("GET", "/healthz");
      default:
        return name satisfies never;
    }
  };
  const isGood = (status: number): boolean => status < 300 || status === 409;

  /** Runs all operations at once while `begin` strikes, then each again in two rounds. */
  const tryAll = async (
    server: ServerName,
    test: TestContext,
    begin: () => void,
  ): Promise<string[]> => {
    const wrong: string[] = [];
    let slowestMs = 0;
    const attempt = async (name: Operation, when: string, longestMs: number): Promise<void> => {
      let startedMs = performance.now();
      let { status, json } = await operation(name);
      let ms = Math.round(performance.now() - startedMs);
      // The machine is busy: retry once, as TRY_AGAIN asks.
      if (status === 503 && ms <= longestMs && GOES_ON[server].includes(name)) {
        startedMs = performance.now();
        ({ status, json } = await operation(name));
        ms = Math.max(ms, Math.round(performance.now() - startedMs));
      }
      slowestMs = Math.max(slowestMs, ms);
      const code = (json?.code as string | undefined) ?? "";
      const expected = GOES_ON[server].includes(name)
        ? isGood(status)
        : isGood(status) || status === 503;
      if (!expected || ms > longestMs + SLACK_MS)
        wrong.push(`${name} ${when}: ${status} ${code} after ${ms} ms`);
    };
    const inFlight = ALL.map((name) => attempt(name, "in flight", IN_FLIGHT_MS));
    begin();
    await Promise.all(inFlight);
    const found = wrong.length;
    for (let round = 1; round <= 2; round++)
      // A busy machine delays some rounds; a gateway that waits for the server, all.
      for (let tries = 1; tries <= 3; tries++) {
        wrong.length = found;
        await Promise.all(ALL.map((name) => attempt(name, `in round ${round}`, LONGEST_MS)));
        if (wrong.length === found) break;
      }
    test.diagnostic(`the slowest answer took ${slowestMs} ms`);
    return wrong;
  };
  const seeAll = async (): Promise<void> => {
    await waitFor(
      async () => {
        // The gateway repeats a lost refresh answer for 10 s; after that a new sign-in is needed.
        const signedIn = await operation("sign-in");
        if (signedIn.status !== 200) return false;
        person = { ...person, ...(signedIn.json as Tokens) };
        for (const name of ALL) if (!isGood((await operation(name)).status)) return false;
        return (await ask("GET", "/readyz")).status === 200;
      },
      { withinMs: 90_000, what: "everything works" },
    );
  };

  for (const server of ["redis", "rabbitmq", "postgres", "nats"] as const) {
    it(`${server} frozen: answers within two seconds, and recovers by itself`, async (test) => {
      await seeAll();
      const { pid } = servers.server(server);
      assert.ok(pid !== undefined);
      let wrong: string[];
      try {
        wrong = await tryAll(server, test, () => freezeProcess(pid, true));
      } finally {
        freezeProcess(pid, false);
      }
      assert.deepEqual(wrong, []);
      await seeAll();
    });

    it(`${server} killed: answers within two seconds, and reconnects by itself`, async (test) => {
      await seeAll();
      const wrong = await tryAll(server, test, () => servers.server(server).kill("SIGKILL"));
      assert.deepEqual(wrong, []);
      await seeAll();
    });
  }

  it("nothing acknowledged was lost over all faults, and all sales are booked", async () => {
    await waitFor(
      async () => {
        const [row] = await database.query<Record<string, number>>({
          text: `
            SELECT (SELECT count(*) FROM event_ticket_transactions)::integer AS pending,
              (SELECT total_capacity - capacity FROM event WHERE id = $1) AS booked,
              (SELECT count(*) FROM event_tickets WHERE event_id = $1 AND cancelled_at IS NULL)
                ::integer AS active`,
          values: [id],
        });
        return row?.pending === 0 && row.booked === row.active;
      },
      { withinMs: 30_000, what: "an empty outbox and equal sums" },
    );
  });
});
