// Byte sequences that once ended the process: the gateway answers or drops them and keeps serving.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, afterEach, before, describe, it } from "node:test";
import { accepted } from "../../domain/refusal.ts";
import { startLoneGateway } from "../support/fixtures/lone-gateway.ts";

const ID = "0".repeat(36);
const EVENTS = Array.from({ length: 100 }, (_item, index) => ({
  id: index,
  name: "x".repeat(200),
}));

function get(limit: number): string {
  return `GET /api/events?limit=${limit} HTTP/1.1\r\nHost: x\r\n\r\n`;
}

function post(path: string): string {
  const headers = "Host: x\r\nContent-Type: application/json\r\nContent-Length: 2";
  return `POST ${path} HTTP/1.1\r\n${headers}\r\n\r\n{}`;
}

describe("a gateway under hostile bytes", () => {
  let gateway: Awaited<ReturnType<typeof startLoneGateway>>;
  const sockets: Socket[] = [];
  before(async () => {
    const search = {
      auth: "public" as const,
      handler: () => accepted({ items: EVENTS, nextCursor: null }),
    };
    gateway = await startLoneGateway([{ name: "catalog", actions: { search } }]);
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    const alive = await fetch(`${gateway.url}/healthz`);
    assert.equal(alive.status, 200, "the gateway serves after the bytes");
  });
  after(() => gateway.stop());

  const open = async (): Promise<Socket> => {
    const { port, hostname } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined);
    sockets.push(socket);
    await once(socket, "connect");
    return socket;
  };
  /** Sends the bytes and reads until as many responses have begun, or the connection ends. */
  const statusesOf = async (bytes: string, responses: number): Promise<string[]> => {
    const socket = await open();
    let text = "";
    const found = (): string[] => text.match(/HTTP\/1\.1 \d{3}/g) ?? [];
    const done = new Promise<void>((resolve) => {
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
        if (found().length >= responses) resolve();
      });
      socket.once("close", () => resolve());
    });
    socket.write(bytes);
    await done;
    return found().map((line) => line.slice(9));
  };

  it("refuses another version of HTTP", async () => {
    assert.deepEqual(await statusesOf("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 1), ["400"]);
  });

  it("answers purchases of unusual spelling in one connection, each by itself", async () => {
    const spellings = [
      `/api/events/${ID}/tickets`,
      `/api/events//${ID}tickets`,
      `/api/${ID}events//tickets`,
    ];
    assert.deepEqual(await statusesOf(spellings.map(post).join(""), 3), ["401", "404", "404"]);
  });

  it("answers pipelined requests in order, on one connection and on the next", async () => {
    const pipelined = get(1) + get(1) + get(100) + get(100);
    for (let round = 0; round < 3; round += 1)
      assert.deepEqual(await statusesOf(pipelined, 4), ["200", "200", "200", "200"]);
  });

  it("survives clients that send a burst, read nothing and disconnect", async () => {
    for (let round = 0; round < 3; round += 1) {
      const socket = await open();
      socket.pause();
      socket.write(get(1));
      socket.write(get(100).repeat(900));
      await new Promise((resolve) => setImmediate(resolve));
      socket.write(get(100).repeat(900));
      // Another client is served while the burst waits for its reader.
      assert.deepEqual(await statusesOf(get(100), 1), ["200"]);
      socket.destroy();
      await once(socket, "close");
    }
  });

  it("answers bytes that are no request with a 400, and closes the connection", async () => {
    for (const bytes of ["\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nHost : x\r\n\r\n"])
      assert.deepEqual(await statusesOf(bytes, 2), ["400"]);
  });
});
