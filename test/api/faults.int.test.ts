// Fault F30: an exception thrown on purpose in a request, a stream, a timer, an event handler or a
// call ends in one 500 or one line of the log, and is counted. The node lives.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { inspect } from "node:util";
import { after, before, beforeEach, describe, it } from "node:test";
import { ServiceBroker, type ServiceSchema } from "moleculer";
import { readConfig } from "../../config/index.ts";
import { nodeContextOf, openNodeContext } from "../../lib/bus/node-context.ts";
import { systemClock } from "../../lib/concurrency/clock.ts";
import { faultCounts, type FaultPlace, noteFault } from "../../lib/observability/faults.ts";
import { faults } from "../../mixins/faults.middleware.ts";
import ApiService, { type GatewayFigures } from "../../services/api/api.service.ts";
import type { GatewayDeps } from "../../services/api/handling/handle-request.ts";
import { createStreamGroup, newStreamCounts } from "../../services/api/live/sse-channel.ts";
import { assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import { serverUrls } from "../support/processes/servers.ts";
import { waitFor } from "../support/wait-for.ts";

type Gateway = GatewayFigures & { deps: Pick<GatewayDeps, "client"> };

const planted = () => new Error("planted: password hunter2");

describe("F30: planted exceptions", () => {
  const namespace = `test-${randomUUID()}`;
  const brokers: ServiceBroker[] = [];
  const logged: string[] = [];
  let gateway: ServiceBroker;
  let ask: HttpClient;
  let breakEdge = false;

  const node = (): ServiceBroker => {
    const broker = new ServiceBroker({
      namespace,
      nodeID: randomUUID(),
      transporter: { type: "NATS", options: { url: serverUrls().TRANSPORTER } },
      logger: false,
      registry: { stopDelay: 10 },
      skipProcessEventRegistration: true,
      middlewares: [
        { newLogEntry: (level, line) => level === "error" && logged.push(inspect(line)) },
        faults(),
      ],
    });
    brokers.push(broker);
    return broker;
  };
  const catalog: ServiceSchema = {
    name: "catalog",
    actions: {
      search: { auth: "public", handler: () => Promise.reject(planted()) },
      left: {
        auth: "public",
        handler() {
          throw planted();
        },
      },
    },
    events: {
      "test.planted"() {
        throw planted();
      },
    },
  };
  before(async () => {
    gateway = node();
    const config = readConfig({
      SERVICES: "api",
      PORT: "0",
      RATE_LIMITS: "off",
      METRICS_PORT: "9464",
      INTERNAL_TOKEN_SECRET: randomUUID() + randomUUID(),
    });
    openNodeContext(gateway, config);
    const other = node();
    openNodeContext(other, config);
    other.createService(catalog);
    await other.start();
    const settings = { ...ApiService.settings, waitMs: 0 };
    const service = gateway.createService({ ...ApiService, settings }) as unknown as Gateway;
    const { client } = service.deps;
    const { transportOf } = client;
    client.transportOf = (request) => {
      if (breakEdge) throw planted();
      return transportOf(request);
    };
    await gateway.start();
    await gateway.waitForServices("catalog", 10_000, 50);
    ask = httpClient(service.url ?? assert.fail());
  });
  beforeEach(() => void logged.splice(0));
  after(() => Promise.all(brokers.map((broker) => broker.stop())));

  /** How much each place has counted, and the lines that were written, since a moment. */
  const since = () => {
    const earlier = { ...faultCounts() };
    return () => ({
      counted: Object.entries(faultCounts()).flatMap(([place, count]) =>
        count === earlier[place as FaultPlace]
          ? []
          : [`${place} +${count - earlier[place as FaultPlace]}`],
      ),
      lines: logged.length,
    });
  };

  it("in a call are a 500 that says nothing, once", async () => {
    const after = since();
    const answer = await ask("GET", "/api/events");
    assertProblem(answer, 500, "INTERNAL");
    assert.doesNotMatch(answer.text, /planted|hunter2/);
    assert.deepEqual(after(), { counted: ["request +1", "call +1"], lines: 1 });
    assert.ok(logged[0]?.includes(answer.headers.get("x-request-id") ?? "none"));
  });

  it("S31: an exception in a request is a 500 on that connection, and the next is served", async () => {
    const after = since();
    breakEdge = true;
    const answer = await ask("GET", "/healthz");
    breakEdge = false;
    assertProblem(answer, 500, "INTERNAL");
    assert.deepEqual(after(), { counted: ["request +1"], lines: 1 });
    assert.equal((await ask("GET", "/healthz")).status, 200);
  });

  it("while a stream opens are a 500", async () => {
    const after = since();
    const path = `/api/events/${randomUUID()}/availability`;
    assertProblem(await ask("GET", path), 500, "INTERNAL");
    assert.deepEqual(after(), { counted: ["request +1", "call +1"], lines: 1 });
  });

  it("in an open stream are a line, and the next message is sent", async () => {
    const after = since();
    const group = createStreamGroup(newStreamCounts(), () => undefined);
    let broken = true;
    const written: string[] = [];
    const response = {
      once: () => undefined,
      on: () => undefined,
      write(bytes: Buffer, done: () => void) {
        if (broken) throw planted();
        written.push(bytes.toString());
        done();
      },
    };
    group.add(response as never);
    group.send(Buffer.from("one"));
    await waitFor(() => logged.length === 1);
    assert.deepEqual(after(), { counted: ["stream +1"], lines: 1 });
    broken = false;
    group.add({ ...response } as never);
    group.send(Buffer.from("two"));
    await waitFor(() => written.includes("two"));
  });

  it("in a handler of an event are a line, for local and for remote events", async () => {
    const after = since();
    await gateway.broadcast("test.planted");
    await waitFor(() => logged.length === 1);
    await brokers[1]?.broadcastLocal("test.planted");
    await waitFor(() => logged.length === 2);
    assert.deepEqual(after(), { counted: ["event +2"], lines: 2 });
  });

  it("in a timer are a line, thrown or rejected", async () => {
    const after = since();
    systemClock.after(0, () => {
      throw planted();
    });
    const rejecting = (): unknown => Promise.reject(planted());
    systemClock.after(0, rejecting);
    await waitFor(() => logged.length === 2);
    assert.deepEqual(after(), { counted: ["timer +2"], lines: 2 });
    assert.doesNotMatch(logged.join(""), /SELECT/);
  });

  it("are shown to Prometheus, places without any as zeros", async () => {
    const shown = async () =>
      /^boxoffice_faults_total\{place="uncaught"\} (\d+)$/m.exec(
        (await nodeContextOf(gateway).metrics?.text()) ?? "",
      )?.[1];
    assert.equal(await shown(), "0");
    // As node-process.ts does.
    noteFault("uncaught", planted(), "An exception was not caught: the node stops");
    assert.equal(await shown(), "1");
  });
});
