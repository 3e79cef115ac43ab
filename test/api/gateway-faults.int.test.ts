// What a buyer hears when something behind the gateway is away, slow, broken or leaving: never more
// than it knows, never a server's own words.
import assert from "node:assert/strict";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type ActionHandler, ServiceBroker } from "moleculer";
import { accepted, type Answer, refused } from "../../domain/refusal.ts";
import { authorization } from "../../mixins/action.middleware.ts";
import { createHealth, startHealthServer } from "../../lib/http/health.ts";
import { createInternalTokenVerifier } from "../../lib/auth/jwt.ts";
import { createAccessTokenSigner, publicJwk } from "../../lib/auth/access-token.ts";
import { readConfig } from "../../config/index.ts";
import { openNodeContext } from "../../lib/bus/node-context.ts";
import ApiService, { type GatewayFigures } from "../../services/api/api.service.ts";
import { assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import { serverUrls } from "../support/processes/servers.ts";
import { waitFor } from "../support/wait-for.ts";

const SECRET = randomUUID() + randomUUID();
const { privateKey } = generateKeyPairSync("ed25519");
const PURCHASE = {
  transactionId: "f".repeat(128),
  status: "pending",
  eventId: randomUUID(),
  quantity: 1,
  tickets: [],
  replayed: false,
};

describe("the gateway, when what is behind it fails", () => {
  let brokers: ServiceBroker[];
  let namespace: string;
  let ask: HttpClient;
  let logged: string[];
  let publicKeys: Answer<{ keys: object[] }>;
  const token = createAccessTokenSigner(privateKey)({
    userId: randomUUID(),
    role: "customer",
    sessionId: "s",
  });
  const path = `/api/events/${randomUUID()}/tickets`;
  const buy = (key = "k", spelling = path) =>
    ask("POST", spelling, { token, json: {}, headers: { "Idempotency-Key": key } });

  const node = (): ServiceBroker => {
    const broker = new ServiceBroker({
      namespace,
      nodeID: randomUUID(),
      transporter: { type: "NATS", options: { url: serverUrls().TRANSPORTER } },
      logger: false,
      heartbeatInterval: 1,
      heartbeatTimeout: 2,
      tracking: { enabled: true, shutdownTimeout: 1_000 },
      registry: { stopDelay: 10 },
      skipProcessEventRegistration: true,
      middlewares: [
        authorization(createInternalTokenVerifier(SECRET)),
        { newLogEntry: (level, line) => level === "error" && logged.push(inspect(line)) },
      ],
    });
    brokers.push(broker);
    return broker;
  };
  /** A purchasing service on another node that answers as told. */
  const purchasing = async (handler: ActionHandler): Promise<ServiceBroker> => {
    const broker = node();
    broker.createService({
      name: "purchasing",
      actions: {
        buy: { auth: "customer", handler },
        "tickets.list": { auth: "customer", handler },
      },
    });
    await broker.start();
    await gateway.waitForServices("purchasing", 10_000, 50);
    return broker;
  };
  let gateway: ServiceBroker;

  beforeEach(async () => {
    [brokers, namespace, logged] = [[], `test-${randomUUID()}`, []];
    gateway = node();
    openNodeContext(
      gateway,
      readConfig({
        SERVICES: "api",
        PORT: "0",
        RATE_LIMITS: "off",
        INTERNAL_TOKEN_SECRET: SECRET,
      }),
    );
    publicKeys = accepted({ keys: [publicJwk(privateKey)] });
    const keys: ActionHandler = () => publicKeys;
    gateway.createService({ name: "auth", actions: { keys: { auth: "public", handler: keys } } });
    const settings = { ...ApiService.settings, waitMs: 0 };
    const service = gateway.createService({ ...ApiService, settings });
    await gateway.start();
    ask = httpClient((service as unknown as GatewayFigures).url ?? assert.fail());
  });
  afterEach(() => Promise.all(brokers.map((broker) => broker.stop())));

  it("says TRY_AGAIN of a list where no node sells, OUTCOME_UNKNOWN of a key that it cannot look up, and that it is not ready", async () => {
    const list = await ask("GET", "/api/tickets", { token });
    assertProblem(list, 503, "TRY_AGAIN");
    assert.equal(list.headers.get("retry-after"), "1");
    const purchase = await buy();
    assertProblem(purchase, 503, "OUTCOME_UNKNOWN");
    assert.equal(purchase.headers.get("idempotency-key"), "k");
    const ready = await ask("GET", "/readyz");
    assertProblem(ready, 503, "TRY_AGAIN");
    assert.equal(ready.json?.detail, "Not ready: catalog, purchasing");
    assert.equal((await ask("GET", "/healthz")).status, 200);
  });

  it("says OUTCOME_UNKNOWN of a purchase while it cannot check tokens, at any spelling of its path", async () => {
    publicKeys = refused("TRY_AGAIN");
    for (const spelling of [path, `${path}/`])
      assertProblem(await buy("k", spelling), 503, "OUTCOME_UNKNOWN");
    assertProblem(await ask("GET", "/api/tickets", { token }), 503, "TRY_AGAIN");
  });

  it("says INTERNAL and nothing else of a fault, and logs it once with the request's id", async () => {
    await purchasing(() =>
      Promise.reject(
        Object.assign(new Error('relation "secret_table" at 10.0.0.1'), {
          code: 404,
          data: { password: "hunter2" },
        }),
      ),
    );
    const answer = await buy();
    assertProblem(answer, 500, "INTERNAL");
    assert.doesNotMatch(answer.text, /secret|10\.0|hunter2|purchasing/);
    const lines = logged.filter((line) =>
      line.includes(answer.headers.get("x-request-id") ?? "none"),
    );
    assert.equal(lines.length, 1, logged.join("\n"));
  });

  it("says OUTCOME_UNKNOWN of a purchase that is not answered, TRY_AGAIN of a list", async () => {
    await purchasing(() => new Promise(() => undefined));
    const [purchase, list] = await Promise.all([buy(), ask("GET", "/api/tickets", { token })]);
    assertProblem(purchase, 503, "OUTCOME_UNKNOWN");
    assert.equal(purchase.headers.get("idempotency-key"), "k");
    assertProblem(list, 503, "TRY_AGAIN");
  });

  it("says OUTCOME_UNKNOWN of a purchase whose node leaves with it", async () => {
    let asked = false;
    const seller = await purchasing(() => {
      asked = true;
      return new Promise(() => undefined);
    });
    const answer = buy();
    await waitFor(() => asked);
    await seller.transit?.disconnect();
    assertProblem(await answer, 503, "OUTCOME_UNKNOWN");
    brokers.splice(brokers.indexOf(seller), 1);
  });

  it("finishes what it has when it stops, and takes nothing more", async () => {
    let servedWhileStopping: boolean | undefined;
    gateway.createService({
      name: "neighbour",
      async stopped() {
        servedWhileStopping = await ask("GET", "/healthz").then(
          () => true,
          () => false,
        );
      },
    });
    let finish: (() => void) | undefined;
    await purchasing(async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      return accepted(PURCHASE);
    });
    const answer = buy();
    await waitFor(() => finish !== undefined);
    const stopped = gateway.stop();
    await waitFor(
      () =>
        ask("GET", "/healthz").then(
          () => false,
          () => true,
        ),
      { withinMs: 3_000, what: "New connections are refused" },
    );
    finish?.();
    const { status, headers } = await answer;
    assert.equal(status, 201);
    assert.equal(headers.get("idempotency-key"), "k");
    await stopped;
    assert.equal(
      servedWhileStopping,
      false,
      "services of the same node stop only after the gateway has closed",
    );
  });

  it("answers probes of any node on a port of their own, naming kinds only", async () => {
    let reachable = true;
    const broker = node();
    const health = createHealth(broker, {
      database: () => reachable || Promise.reject(new Error("connect ECONNREFUSED 10.0.0.1:5432")),
    });
    const server = await startHealthServer(health, { host: "127.0.0.1", port: 0 });
    const probe = httpClient(`http://127.0.0.1:${server.port}`);
    try {
      assert.equal((await probe("GET", "/readyz")).json?.detail, "Not ready: broker, transporter");
      await broker.start();
      await waitFor(async () => (await probe("GET", "/readyz")).status === 200);
      reachable = false;
      await waitFor(async () => (await probe("GET", "/readyz")).status === 503);
      const answer = await probe("GET", "/readyz");
      assert.equal(answer.json?.detail, "Not ready: database");
      assert.doesNotMatch(answer.text, /10\.0|ECONN/);
      assert.equal((await probe("GET", "/healthz")).status, 200);
      assert.deepEqual(
        [(await probe("POST", "/readyz")).status, (await probe("GET", "/metrics")).status],
        [405, 404],
      );
    } finally {
      await server.close();
    }
  });
});
