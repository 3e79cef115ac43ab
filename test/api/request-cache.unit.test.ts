// What is known by its bytes is answered as what Node parses is, in whatever pieces the bytes come.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, IncomingMessage, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, it } from "node:test";
import { pick, type Random, seededRandom } from "../../tools/testing/seeded-random.ts";
import { KnownHeads } from "../../services/api/server/fast-path/request-cache.ts";
import { createGatewayServer } from "../../services/api/server/http-server.ts";
import { aMoment, bodiesOf, Line } from "../support/line.ts";
import { until } from "../support/wait-for.ts";

const SHARED = ["/shared?a", "/shared?b"].map((url) => `GET ${url} HTTP/1.1\r\nHost: here\r\nAccept: */*\r\n\r\n`);
/** `cut`: where it is most likely cut. */
type Sent = { bytes: string; echo: string; cut: number };

/** A request, and what its answer says of it. */
function message(random: Random): Sent {
  const shared = pick(SHARED, random);
  const url = shared.split(" ")[1] ?? "";
  const kind = random();
  if (kind < 0.6) return { bytes: shared, echo: `GET ${url} - `, cut: shared.length };
  // A header whose value reads like one.
  if (kind < 0.7) {
    const before = `GET ${url} HTTP/1.1\r\nX-Own: `;
    return { bytes: before + shared, echo: `GET ${url} ${shared.split("\r\n")[0]} `, cut: before.length };
  }
  // A body that does, also of a request that is answered before it is read.
  const body = pick(["", "x", shared, shared + shared, `${shared}x`], random);
  const method = pick(["POST", "GET"], random);
  const early = random() < 0.3;
  const head = `${method} ${url} HTTP/1.1\r\nHost: here\r\n${early ? "X-Own: early\r\n" : ""}`;
  const echo = `${method} ${url} ${early ? "early " : `- ${body}`}`;
  const chunked = method === "POST" && random() < 0.2;
  const before = `${head}${chunked ? "Transfer-Encoding: chunked" : `Content-Length: ${body.length}`}\r\n\r\n`;
  const chunks = body === "" ? "" : `${body.length.toString(16)}\r\n${body}\r\n`;
  return { bytes: before + (chunked ? `${chunks}0\r\n\r\n` : body), echo, cut: before.length };
}

/** Cut where it may be taken for another, where messages end, or anywhere. */
function pieces(messages: readonly Sent[], random: Random): string[] {
  const all: string[] = [];
  for (const { bytes, cut: likely } of messages) {
    const way = random();
    const cut = way < 0.6 ? likely : way < 0.8 ? bytes.length : Math.floor(random() * bytes.length);
    for (const piece of [bytes.slice(0, cut), bytes.slice(cut)]) {
      if (piece === "") continue;
      if (random() < 0.1 && all.length > 0) all.push(`${all.pop() ?? ""}${piece}`);
      else all.push(piece);
    }
  }
  return all;
}

/** A server that says what it was asked, some of it at once and some of it later, and how many requests it knew by their bytes. */
function echoing(): { server: ReturnType<typeof createServer>; known: KnownHeads; counts: { known: number } } {
  const counts = { known: 0 };
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const parsed = request instanceof IncomingMessage;
    if (!parsed) counts.known += 1;
    if (parsed && request.method === "GET") known.learn(request);
    let body = "";
    const answer = (): void => {
      const own = request.headers["x-own"];
      const text = `${request.method} ${request.url} ${typeof own === "string" ? own : "-"} ${body}`;
      response.writeHead(200, { "Content-Length": text.length });
      response.end(text, "latin1");
    };
    if (!parsed && counts.known % 2 === 0) setImmediate(answer);
    else if (!parsed) answer();
    else if (request.headers["x-own"] === "early") answer();
    else request.on("data", (bytes: Buffer) => (body += bytes.toString("latin1"))).on("end", answer);
  };
  const known = new KnownHeads({ handle, keepAliveS: 65, ending: () => false });
  const server = createServer((request, response) => {
    known.began(request, response);
    handle(request, response);
  }).on("connection", (socket: Socket) => known.follow(socket));
  return { server, known, counts };
}

describe("requests known by their bytes", () => {
  it("are answered as Node's parser would have them, in order, in whatever pieces they come", async () => {
    const { server, known, counts } = echoing();
    let sent = 0;
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = seededRandom(seed);
      const messages = Array.from({ length: 30 }, () => message(random));
      const line = new Line();
      server.emit("connection", line);
      for (const piece of pieces(messages, random)) {
        line.push(Buffer.from(piece, "latin1"));
        // Most people wait for their answer, some do not.
        if (random() < 0.8) await aMoment();
      }
      await until(() => Promise.resolve(bodiesOf(line.answered).length >= messages.length), { withinMs: 5_000 });
      assert.deepEqual(
        bodiesOf(line.answered),
        messages.map(({ echo }) => echo),
        `seed ${seed}`,
      );
      sent += messages.length;
      line.destroy();
    }
    assert.ok(counts.known > sent / 10, `${counts.known} of ${sent} were known`);
    assert.equal(known.underWay, 0);
  });

  it("of who does not read are not answered without end", async () => {
    const { server, counts } = echoing();
    const line = new Line({ writableHighWaterMark: 2_000 });
    server.emit("connection", line);
    const ask = async (times: number): Promise<void> => {
      for (let number = 0; number < times; number += 1) {
        line.push(Buffer.from(SHARED[0] ?? "", "latin1"));
        await aMoment();
      }
    };
    await ask(10);
    await until(() => Promise.resolve(counts.known > 3), { withinMs: 5_000 });
    line.stalled = true;
    const before = counts.known;
    await ask(200);
    assert.ok(counts.known - before < 20, `${counts.known - before} answers wait to be taken`);
    line.stalled = false;
    line.takes();
    // Nothing of what waited is lost.
    await until(() => Promise.resolve(bodiesOf(line.answered).length === 210), { withinMs: 5_000 });
    line.destroy();
  });
});

describe("who leaves before the answer", () => {
  it("is forgotten with what was sent after the question: none of it comes to those who have Node's parser next", async () => {
    let late: (() => void) | undefined;
    const asked: (string | undefined)[] = [];
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      asked.push(request.url);
      const answer = (): unknown => response.writeHead(200, { "Content-Length": 3 }).end("yes");
      if (request instanceof IncomingMessage) {
        known.learn(request);
        answer();
      } else late = () => void answer();
    };
    const known = new KnownHeads({ handle, keepAliveS: 65, ending: () => false });
    const server = createServer((request, response) => {
      known.began(request, response);
      handle(request, response);
    }).on("connection", (socket: Socket) => known.follow(socket));
    const leaver = new Line();
    server.emit("connection", leaver);
    for (let number = 0; number < 4; number += 1) {
      leaver.push(Buffer.from(SHARED[0] ?? "", "latin1"));
      await aMoment();
    }
    assert.equal(known.underWay, 1);
    leaver.push(Buffer.from("GET /foreign HTTP/1.1\r\nHost: here\r\n\r\n"));
    await aMoment();
    const closed = once(leaver, "close");
    leaver.destroy();
    await closed;
    const next = new Line();
    server.emit("connection", next);
    late?.();
    await aMoment();
    assert.equal(next.answered, "");
    assert.ok(!asked.includes("/foreign"));
    assert.equal(known.underWay, 0);
    next.push(Buffer.from(SHARED[1] ?? "", "latin1"));
    await until(() => Promise.resolve(bodiesOf(next.answered).length === 1), { withinMs: 5_000 });
    assert.equal(asked.at(-1), "/shared?b");
    next.destroy();
  });

  it("leaves no listener behind for each answer that had to wait", async () => {
    const { server, counts } = echoing();
    const line = new Line({ writableHighWaterMark: 1 });
    server.emit("connection", line);
    const listeners = (): number => line.listenerCount("close") + line.listenerCount("drain");
    const ask = async (times: number): Promise<void> => {
      for (let number = 0; number < times; number += 1) {
        line.push(Buffer.from(SHARED[0] ?? "", "latin1"));
        await aMoment();
        await aMoment();
      }
    };
    await ask(10);
    assert.ok(counts.known > 3);
    const before = listeners();
    await ask(20);
    assert.equal(listeners(), before);
    line.destroy();
  });
});

describe("a gateway that knows its requests by their bytes", () => {
  const ask = async (socket: Socket): Promise<string> => {
    socket.write(SHARED[0] ?? "");
    const [bytes] = (await once(socket, "data")) as [Buffer];
    return bytes.toString("latin1");
  };

  it("says the same with each answer, and ends connections when it leaves, not before what is under way is answered", async () => {
    let knew = 0;
    let late: (() => void) | undefined;
    const server = createGatewayServer(undefined, (request, response) => {
      if (request instanceof IncomingMessage) server.learn(request);
      else knew += 1;
      const answer = (): unknown => response.writeHead(200, { "X-One": "two", "Content-Length": 3 }).end("yes");
      if (request.url === "/late" && !(request instanceof IncomingMessage)) late = () => void answer();
      else answer();
    });
    const { port } = new URL(await server.listen("127.0.0.1", 0));
    const socket = connect(Number(port), "127.0.0.1");
    try {
      const first = await ask(socket);
      const known = await ask(socket);
      assert.equal(knew, 1);
      const lines = (text: string): string[] =>
        text
          .replace(/Date: .*/, "Date")
          .split("\r\n")
          .sort();
      assert.deepEqual(lines(known), lines(first));

      const slow = connect(Number(port), "127.0.0.1");
      const question = (): Promise<unknown> => {
        slow.write("GET /late HTTP/1.1\r\nHost: here\r\n\r\n");
        return once(slow, "data");
      };
      await question();
      const answered = question();
      await until(() => Promise.resolve(late !== undefined), { withinMs: 5_000 });
      server.leave();
      assert.match(await ask(socket), /Connection: close/);
      const closed = server.close();
      await new Promise((resolve) => setImmediate(resolve));
      late?.();
      assert.match(String(((await answered) as [Buffer])[0]), /Connection: close[^]*yes$/);
      await closed;
    } finally {
      socket.destroy();
      await server.close();
    }
  });
});
