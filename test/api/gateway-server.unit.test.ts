// Tests the gateway's HTTP server while its node drains. It serves each request and closes the
// connection, so that the client opens a new one.
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { it } from "node:test";
import { createGatewayServer } from "../../services/api/server/http-server.ts";

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
