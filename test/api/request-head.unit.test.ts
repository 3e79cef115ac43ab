// The head of a request by raw bytes: what RFC 9112 asks, with problem documents, and the order of
// answers when the bytes that follow cannot be read.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { createGatewayServer } from "../../services/api/server/http-server.ts";
import { sendRaw } from "../support/http/http.ts";
import { waitFor } from "../support/wait-for.ts";

const HOST = "HTTP/1.1\r\nHost: x\r\n";
const END = "Connection: close\r\n\r\n";

describe("the head of a request", () => {
  const waiting: ServerResponse[] = [];
  const server = createGatewayServer(
    undefined,
    (request, response) => {
      if (request.url === "/slow") waiting.push(response);
      else response.end(`${request.method} ${request.url} of ${request.headers.host ?? "none"}`);
    },
    { stuckMs: 300, quietMs: 300 },
  );
  let url = "";
  before(async () => void (url = await server.listen("127.0.0.1", 0)));
  after(() => server.close());

  const open = async (bytes: string) => {
    const { port, hostname } = new URL(url);
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write(bytes);
    return socket;
  };

  for (const [target, served] of [
    ["http://shop.example/api/events?limit=1", "/api/events?limit=1 of shop.example"],
    ["HTTP://shop.example:80/%2e%2e/a", "/%2e%2e/a of shop.example:80"],
    ["https://[::1]:3000?q=1", "/?q=1 of [::1]:3000"],
    ["http://shop.example", "/ of shop.example"],
  ] as const)
    it(`the target ${target} is served as its path; its host replaces Host`, async () => {
      const answer = await sendRaw(url, `GET ${target} HTTP/1.1\r\nHost: other\r\n${END}`);
      assert.match(answer, /^HTTP\/1\.1 200 OK/);
      assert.ok(answer.includes(`GET ${served}`), answer);
    });

  it("HTTP/1.0 needs no Host, and OPTIONS * names the methods of the server", async () => {
    assert.match(await sendRaw(url, "GET / HTTP/1.0\r\n\r\n"), /200 OK[^]*GET \/ of none/);
    for (const target of ["*", "http://shop.example"])
      assert.match(
        await sendRaw(url, `OPTIONS ${target} HTTP/1.1\r\nHost: x\r\n${END}`),
        /^HTTP\/1\.1 204 [^]*\r\nAllow: GET, HEAD, POST, DELETE, OPTIONS\r\n/,
      );
  });

  for (const [what, head] of [
    ["HTTP/0.9", "GET / HTTP/0.9\r\nHost: x\r\n"],
    ["HTTP/2.0", "GET / HTTP/2.0\r\nHost: x\r\n"],
    ["HTTP/3.0", "GET / HTTP/3.0\r\nHost: x\r\n"],
    ["HTTP/9.9", "GET / HTTP/9.9\r\nHost: x\r\n"],
    ["a body in chunks over HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n"],
    ["identity behind chunked", `GET / ${HOST}Transfer-Encoding: chunked, identity\r\n`],
    ["a coding that is not chunked", `GET / ${HOST}Transfer-Encoding: xchunked\r\n`],
    ["a folded coding", `GET / ${HOST}Transfer-Encoding: chun\r\n ked\r\n`],
    ["no Host", "GET / HTTP/1.1\r\n"],
    ["two equal Hosts", "GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n"],
    ["two Hosts", "GET / HTTP/1.0\r\nHost: x\r\nHOST: y\r\n"],
    ["a Host with a path", "GET / HTTP/1.1\r\nHost: x/y\r\n"],
    ["a Host with a user", "GET / HTTP/1.1\r\nHost: y@x\r\n"],
    ["two Hosts in one", "GET / HTTP/1.1\r\nHost: x, y\r\n"],
    ["no Host beside an absolute target", "GET http://x/ HTTP/1.1\r\n"],
    ["a target with a user", "GET http://u:p@x/ HTTP/1.1\r\nHost: x\r\n"],
    ["a target of another scheme", "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n"],
    ["a target with an impossible port", "GET http://x:99999/ HTTP/1.1\r\nHost: x\r\n"],
    ["GET *", "GET * HTTP/1.1\r\nHost: x\r\n"],
    ["the authority-form", "GET x:80 HTTP/1.1\r\nHost: x\r\n"],
    ["obs-fold", "GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n"],
    ["obs-fold in the first line", "GET / HTTP/1.1\r\n Host: x\r\n"],
    ["bare LF after the request line", "GET / HTTP/1.1\nHost: x\r\n"],
    ["bare LF after a header", "GET / HTTP/1.1\r\nHost: x\n"],
    ["NUL in a value", "GET / HTTP/1.1\r\nHost: x\r\nX-A: b\0c\r\n"],
    ["NUL in the target", "GET /\0 HTTP/1.1\r\nHost: x\r\n"],
  ] as const)
    it(`${what} is a 400 with a problem document`, async () => {
      assertProblem(await sendRaw(url, `${head}${END}`), 400, "MALFORMED");
    });

  it("an unmet Expect is a 417, and what follows is no second request", async () => {
    const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    const expects = (what: string) =>
      `POST / HTTP/1.1\r\nHost: x\r\nExpect: ${what}\r\nContent-Length: ${smuggled.length}\r\n`;
    const answer = await sendRaw(url, `${expects("wonders")}\r\n${smuggled}`);
    assertProblem(answer, 417, "EXPECTATION_FAILED");
    assert.doesNotMatch(answer, /smuggled/);
    const met = await sendRaw(url, `${expects("100-continue")}${END}${smuggled}`);
    assert.match(met, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
  });

  it("CONNECT is a 405 that names the methods", async () => {
    const answer = await sendRaw(url, `CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n`);
    assertProblem(answer, 405, "METHOD_NOT_ALLOWED");
    assert.match(answer, /\r\nAllow: GET, HEAD, POST, DELETE, OPTIONS\r\n/);
  });

  for (const [what, bytes, status] of [
    ["bytes that are no request", "\0\0\r\n\r\n", "400"],
    ["CONNECT", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", "405"],
  ] as const)
    it(`a request is answered before the ${what} behind it`, async () => {
      const socket = await open(`GET /slow HTTP/1.1\r\nHost: x\r\n\r\n${bytes}`);
      let text = "";
      socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
      await waitFor(() => waiting.length > 0);
      waiting.pop()?.end("slow");
      await waitFor(() => socket.readableEnded);
      assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 200", `HTTP/1.1 ${status}`]);
      socket.destroy();
    });

  it("a body that cannot be read is refused at once, though its request is not answered", async () => {
    const bad = "POST /slow HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n";
    assertProblem(await sendRaw(url, bad), 400, "MALFORMED");
    assert.equal(waiting.splice(0).length, 1);
  });

  it("S32: a connection is closed after its time, also by a client that sends empty lines, reads nothing or keeps its side open", async () => {
    const get = "GET /big HTTP/1.1\r\nHost: x\r\n\r\n";
    const [empty, afterAnswer, garbage, unread] = await Promise.all([
      open("\r\n"),
      open(`GET / HTTP/1.1\r\nHost: x\r\n\r\n`),
      open("\0\0\r\n\r\n"),
      open(get.repeat(2_000)),
    ]);
    unread.pause();
    const sockets = [empty, afterAnswer, garbage, unread];
    for (const socket of [empty, afterAnswer, garbage]) socket.resume();
    // A client sees by its next write that the server has destroyed the connection.
    const writing = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write("\r\n");
    }, 50);
    await waitFor(() => sockets.every((socket) => socket.closed), { withinMs: 10_000 }).finally(
      () => clearInterval(writing),
    );
  });
});

function assertProblem(answer: string, status: number, code: string): void {
  assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
  assert.match(answer, /\r\nContent-Type: application\/problem\+json\r\n/);
  assert.match(answer, /\r\nConnection: close\r\n/);
  assert.ok(answer.includes(`"code":"${code}"`), answer);
  assert.equal(answer.match(/HTTP\/1\.1 \d/g)?.length, 1, "one answer");
}
