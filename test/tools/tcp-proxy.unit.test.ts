import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { openTcpProxy, type TcpProxy } from "../../tools/chaos/network/tcp-proxy.ts";
import { waitFor } from "../support/wait-for.ts";

describe("the chaos run's proxy", () => {
  let server: Server;
  let proxy: TcpProxy;
  let received = "";
  let serverSide: Socket | undefined;
  const clients: { socket: Socket; said: () => string; ended: () => boolean }[] = [];
  before(async () => {
    server = createServer((socket) => {
      serverSide = socket;
      socket.on("error", () => undefined);
      socket.on("data", (chunk: Buffer) => {
        received += chunk.toString();
        socket.write(`<${chunk.toString()}>`);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  beforeEach(async () => {
    received = "";
    proxy = await openTcpProxy(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    await proxy.close();
  });
  after(() => server.close());

  async function client() {
    const socket = connect(Number(new URL(proxy.url).port), "127.0.0.1");
    let said = "";
    let ended = false;
    socket.on("data", (chunk: Buffer) => (said += chunk.toString()));
    socket.on("error", () => undefined);
    socket.on("close", () => (ended = true));
    await once(socket, "connect");
    const one = { socket, said: () => said, ended: () => ended };
    clients.push(one);
    return one;
  }

  it("forwards everything, delayed if it is slow", async () => {
    const one = await client();
    proxy.slow(60);
    const sentMs = performance.now();
    one.socket.write("a");
    await waitFor(() => one.said() === "<a>");
    assert.ok(performance.now() - sentMs >= 119, "60 ms there and 60 back");
  });

  it("holds answers while requests pass (half-open), and releases them", async () => {
    const one = await client();
    proxy.hold("answers", true);
    one.socket.write("a");
    await waitFor(() => received === "a");
    assert.equal(one.said(), "");
    proxy.hold("answers", false);
    await waitFor(() => one.said() === "<a>");
  });

  it("holds from the awaited request", async () => {
    const one = await client();
    proxy.holdFrom("commit", "answers");
    one.socket.write("load ");
    await waitFor(() => one.said() === "<load >");
    assert.equal(proxy.holds(), false);
    one.socket.write("commit");
    await waitFor(() => received === "load commit");
    assert.equal(proxy.holds(), true);
    assert.equal(one.said(), "<load >");
  });

  it("forwards a held request after its client was cut off", async () => {
    const one = await client();
    proxy.holdFrom("commit", "requests");
    one.socket.write("commit");
    await waitFor(() => proxy.holds());
    proxy.orphan();
    await waitFor(() => one.ended());
    assert.equal(received, "");
    assert.equal(serverSide?.destroyed, false);
    proxy.hold("requests", false);
    await waitFor(() => received === "commit");
  });

  it("freezes, cuts and refuses", async () => {
    const one = await client();
    proxy.freeze(true);
    one.socket.write("a");
    const other = await client();
    proxy.freeze(false);
    await waitFor(() => one.said() === "<a>");
    proxy.cut();
    await waitFor(() => one.ended() && other.ended());
    proxy.away(true);
    const refused = await client();
    await waitFor(() => refused.ended());
  });
});
