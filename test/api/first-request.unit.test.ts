// A connection whose first request is known by its bytes lives and ends as one does of which Node has parsed all.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { KnownHeads } from "../../services/api/server/fast-path/request-cache.ts";
import { createGatewayServer } from "../../services/api/server/http-server.ts";
import { until } from "../support/wait-for.ts";

const KNOWN = "GET /known HTTP/1.1\r\nHost: here\r\n\r\n";
const LATE = "GET /late HTTP/1.1\r\nHost: here\r\n\r\n";
/** Of one personal header, so that Node parses it. */
const PARSED = "GET /parsed HTTP/1.1\r\nHost: here\r\nCookie: own\r\n\r\n";

async function ask(socket: Socket, request = KNOWN): Promise<void> {
  socket.write(request);
  assert.match(String(((await once(socket, "data")) as [Buffer])[0]), /yes$/);
}

describe("a newcomer", () => {
  const counts = { known: 0, parsed: 0 };
  let late: (() => void) | undefined;
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const parsed = request instanceof IncomingMessage;
    counts[parsed ? "parsed" : "known"] += 1;
    if (parsed) known.learn(request);
    const answer = (): unknown => response.writeHead(200, { "Content-Length": 3 }).end("yes");
    if (request.url === "/parsed" || (request.url === "/late" && !parsed)) late = () => void answer();
    else answer();
  };
  // Idle connections end after a second, unfinished heads after a fifth of one.
  const known = new KnownHeads({ handle, keepAliveS: 0, ending: () => false });
  const server = createServer({ headersTimeout: 200, requestTimeout: 200, connectionsCheckingInterval: 20 }, (request, response) => {
    known.began(request, response);
    handle(request, response);
  });
  server.on("connection", (socket: Socket) => known.follow(socket));
  server.on(
    "clientError",
    (error, socket: Socket) => known.isMistaken(error, socket) || socket.end("HTTP/1.1 408 Request Timeout\r\n\r\n"),
  );
  const open = (): Socket => connect((server.address() as AddressInfo).port, "127.0.0.1").on("error", () => undefined);
  const newcomer = async (): Promise<Socket> => {
    const socket = open();
    const before = counts.known;
    await ask(socket);
    assert.equal(counts.known, before + 1, "its first request went to Node's parser");
    return socket;
  };

  before(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
    const first = open();
    await ask(first);
    assert.deepEqual(counts, { known: 0, parsed: 1 });
    first.destroy();
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  it("is not taken for one that sends nothing, which is ended", async () => {
    const socket = await newcomer();
    const silent = open();
    await once(silent.resume(), "close");
    await ask(socket);
    socket.destroy();
  });

  it("is ended like anybody who sends half a head later on", async () => {
    const socket = await newcomer();
    socket.write(KNOWN.slice(0, 20));
    assert.match(String(((await once(socket, "data")) as [Buffer])[0]), /^HTTP\/1.1 408/);
    socket.destroy();
  });

  it("is ended when it has asked nothing for as long as is said, but not while Node's answer is waited for", async () => {
    const [idle, waiting] = [await newcomer(), await newcomer()];
    const heard = once(waiting, "data");
    waiting.write(PARSED);
    await once(idle, "close");
    // Whoever came later has been ended too: the time of the one that waits would be over.
    await once(await newcomer(), "close");
    late?.();
    assert.match(String(((await heard) as [Buffer])[0]), /yes$/);
    waiting.destroy();
  });

  it("is ended with the idle ones when the server closes, and not before its answer is sent", async () => {
    const parsed = open();
    await ask(parsed, LATE);
    parsed.destroy();
    const [idle, waiting] = [await newcomer(), open()];
    const heard = once(waiting, "data");
    const before = counts.known;
    waiting.write(LATE);
    await until(() => Promise.resolve(counts.known > before), { withinMs: 5_000 });
    const closed = once(idle, "close");
    server.closeIdleConnections();
    known.closeIdle();
    await closed;
    late?.();
    assert.match(String(((await heard) as [Buffer])[0]), /yes$/);
    const left = once(waiting, "close");
    known.closeIdle();
    await left;
  });
});

it("a newcomer stays at the gateway, which ends whoever sends nothing for ten seconds, and leaves with it", async () => {
  let known = 0;
  const gateway = createGatewayServer(undefined, (request, response) => {
    if (request instanceof IncomingMessage) gateway.learn(request);
    else known += 1;
    response.writeHead(200, { "Content-Length": 3 }).end("yes");
  });
  const port = Number(new URL(await gateway.listen("127.0.0.1", 0)).port);
  try {
    const [first, newcomer] = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
    await ask(first);
    await ask(newcomer);
    const silent = connect(port, "127.0.0.1").resume();
    await once(silent, "close");
    await ask(newcomer);
    assert.equal(known, 2);
    first.destroy();
    const left = once(newcomer, "close");
    const began = performance.now();
    await Promise.all([gateway.close(), left]);
    assert.ok(performance.now() - began < 4_000, "it was cut off with those who do not finish");
  } finally {
    await gateway.close();
  }
});
