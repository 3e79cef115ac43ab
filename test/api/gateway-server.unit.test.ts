// Tests the gateway's HTTP server while its node drains. It serves each request and closes the
// connection, so that the client opens a new one.
import assert from "node:assert/strict";
import { Agent, type IncomingMessage, request, type ServerResponse } from "node:http";
import { it } from "node:test";
import { connectionsMax } from "../../services/api/server/connections-max.ts";
import { createGatewayServer } from "../../services/api/server/http-server.ts";
import { waitFor } from "../support/wait-for.ts";

it("a gateway that leaves ends the connection with each answer, also of what was under way already, and until then with none", async () => {
  let waiting = Promise.withResolvers<ServerResponse>();
  const server = createGatewayServer(undefined, (_request, response) => waiting.resolve(response));
  const url = await server.listen("127.0.0.1", 0);
  const connectionAfter = async (
    meanwhile: () => void,
    answer: (response: ServerResponse) => void,
  ): Promise<string | null> => {
    waiting = Promise.withResolvers();
    const asked = fetch(url);
    const response = await waiting.promise;
    meanwhile();
    answer(response);
    return (await asked).headers.get("connection");
  };
  const written = (response: ServerResponse): unknown =>
    response.writeHead(200, { "X-Request-ID": "one" }).end("yes");
  const nothing = (): void => undefined;
  try {
    assert.equal(await connectionAfter(nothing, written), "keep-alive");
    assert.equal(
      await connectionAfter(() => server.leave(), written),
      "close",
      "under way when the gateway began to leave",
    );
    assert.equal(await connectionAfter(nothing, written), "close");
    assert.equal(
      await connectionAfter(nothing, (response) => response.end()),
      "close",
      "implicit headers",
    );
  } finally {
    await server.close();
  }
});

it("gateways that may share a port are all sent people, and who may not is told that it is taken", async () => {
  const served = new Map<string, number>();
  const open = (name: string) =>
    createGatewayServer(undefined, (_request, response) => {
      served.set(name, (served.get(name) ?? 0) + 1);
      response.writeHead(200, { Connection: "close" }).end();
    });
  const [one, other, third] = [open("one"), open("other"), open("third")];
  try {
    const port = Number(new URL(await one.listen("127.0.0.1", 0, true)).port);
    await other.listen("127.0.0.1", port, true);
    await assert.rejects(third.listen("127.0.0.1", port), /is taken by another program/);
    for (let person = 0; person < 100; person++) await fetch(`http://127.0.0.1:${port}`);
    assert.deepEqual([...served.keys()].sort(), ["one", "other"]);
  } finally {
    await Promise.all([one.close(), other.close()]);
  }
});

it("a gateway without room for a connection says so to its first request, and serves it later", async () => {
  const served: string[] = [];
  const server = createGatewayServer(
    undefined,
    ({ url = "" }, response) => {
      served.push(url);
      response.writeHead(200).end();
    },
    { stuckMs: 30_000, quietMs: 30_000 },
    2,
  );
  const { hostname: host, port } = new URL(await server.listen("127.0.0.1", 0));
  const agents = Array.from({ length: 4 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const ask = (person: number, method: string, path: string): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      request({ agent: agents[person], host, port, method, path }, (response) => {
        response.resume();
        response.once("end", () => resolve(response));
      })
        .once("error", reject)
        .end();
    });
  try {
    await ask(0, "GET", "/one");
    await ask(1, "GET", "/two");
    const read = await ask(2, "GET", "/three");
    assert.deepEqual(
      [read.statusCode, read.headers["retry-after"], read.headers.connection],
      [503, "1", "close"],
    );
    const bought = await ask(3, "POST", "/four");
    assert.deepEqual(
      [bought.statusCode, bought.headers["retry-after"]],
      [503, undefined],
      "its key may be sold: OUTCOME_UNKNOWN",
    );
    assert.equal((await ask(0, "GET", "/five")).statusCode, 200, "open connections go on");
    agents[1]?.destroy();
    await waitFor(async () => (await ask(2, "GET", "/six")).statusCode === 200);
    assert.deepEqual(served, ["/one", "/two", "/five", "/six"]);
  } finally {
    for (const agent of agents) agent.destroy();
    await server.close();
  }
});

it("a gateway takes as many connections as it has descriptors and memory for", () => {
  const room = (descriptors: number, memoryMib: number): number =>
    connectionsMax({ descriptors, memoryBytes: memoryMib * 2 ** 20 });
  assert.equal(room(Infinity, Infinity), 30_000);
  assert.equal(room(256, Infinity), 160, "ulimit -n 256");
  assert.equal(room(1_048_576, 256), 6_553);
  assert.equal(room(64, 8), 16, "a few, all the same");
  assert.ok(connectionsMax() >= 16 && connectionsMax() <= 30_000, "of this process");
});
