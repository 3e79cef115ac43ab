// A purchase that is known by the shape of its head is understood as Node's parser would have it, whatever was sent.
import assert from "node:assert/strict";
import { createServer, IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { pick, type Random, seededRandom } from "../../tools/testing/seeded-random.ts";
import type { WithBody } from "../../services/api/routing/parse-body.ts";
import { KnownHeads } from "../../services/api/server/fast-path/request-cache.ts";
import { aMoment, bodiesOf, Line } from "../support/line.ts";
import { until } from "../support/wait-for.ts";

const SEARCHES = ["/events?a", "/events?b"].map((url) => `GET ${url} HTTP/1.1\r\nHost: here\r\nAccept: */*\r\n\r\n`);
const SPELLINGS = [
  ["Authorization", "Idempotency-Key", "X-Request-ID"],
  ["authorization", "idempotency-key", "x-request-id"],
] as const;
const IDS = ["5b1f0c9e-3c54-4a53-9d1f-0d6f5f3c0a1", "ABCDEF_123456789-abcdefghijklmnopqr"];
const KEYS = ["k-1", "other=", "Bearer k", "with spaces", "", "caf\u00e9", "k\r\nX-Own: more"];

/** A purchase as programs write it, or as they should not: a header too often, with no value or an unusual one, and texts that look like one. */
function purchase(random: Random): string {
  const [authorization, key, requestId] = pick(SPELLINGS, random);
  const seldom = (line: string): string => (random() < 0.05 ? line : "");
  const token = Math.floor(random() * 1e9).toString(36);
  const lines = [
    "Host: here",
    seldom(`${authorization}: Basic abc`),
    seldom(`${authorization}:`) || `${authorization}: Bearer ${random() < 0.05 ? "a b" : token}`,
    seldom(`${authorization}: Bearer again`) || seldom(`${authorization}:  two`),
    random() < 0.5 ? `${key}: ${KEYS[Math.floor(random() ** 4 * KEYS.length)] ?? ""}` : "",
    seldom(`${key}: again`),
    random() < 0.2 ? `${requestId}: ${token}` : "",
    seldom(`X-Own: ${authorization}: Bearer x`),
    seldom("Transfer-Encoding: chunked") || "Content-Length: 5",
  ].filter(Boolean);
  const ending =
    lines.at(-1) === "Content-Length: 5"
      ? pick(["12345", "54321", "12345", "{   }", "\r\na: ", "caf\u00e9\u00e9"], random)
      : "5\r\n12345\r\n0\r\n\r\n";
  const path = random() < 0.95 ? `/buy/${pick(IDS, random)}${Math.floor(random() * 10)}/now` : "/buy/now";
  return `POST ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${ending}`;
}

describe("purchases known by the shape of their heads", () => {
  /** Everything that was understood of a request is its answer. */
  const tell = (request: IncomingMessage, response: ServerResponse): void => {
    const { method, url, headers } = request;
    const answer = (body: string): void => {
      const text = Buffer.from(JSON.stringify([method, url, Object.entries(headers).sort(), body]));
      response.writeHead(200, { "Content-Length": text.length }).end(text);
    };
    if (!(request instanceof IncomingMessage)) return answer((request as WithBody).wholeBody ?? "");
    const pieces: Buffer[] = [];
    request.on("data", (bytes: Buffer) => pieces.push(bytes)).on("end", () => answer(Buffer.concat(pieces).toString()));
  };

  const serverThatLearns = (known: KnownHeads) =>
    createServer((request, response) => {
      known.began(request, response);
      known.learn(request);
      tell(request, response);
    }).on("connection", (socket: Socket) => known.follow(socket));

  it("are read as Node's parser reads them, whatever they are like", async () => {
    let byShape = 0;
    const known = new KnownHeads({
      handle(request, response) {
        byShape += 1;
        tell(request, response);
      },
      keepAliveS: 65,
      ending: () => false,
    });
    const ours = serverThatLearns(known);
    const plain = createServer(tell);
    let sent = 0;
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = seededRandom(seed);
      const messages = Array.from({ length: 30 }, () => (random() < 0.1 ? pick(SEARCHES, random) : purchase(random)));
      const answersOf = async (server: typeof plain): Promise<string[]> => {
        const cutting = seededRandom(seed);
        const line = new Line();
        server.emit("connection", line);
        for (const message of messages) {
          const cut = cutting() < 0.8 ? message.length : Math.floor(cutting() * message.length);
          for (const piece of [message.slice(0, cut), message.slice(cut)]) if (piece !== "") line.push(Buffer.from(piece, "latin1"));
          if (cutting() < 0.8) await aMoment();
        }
        // Node's own sends a head first.
        await until(() => Promise.resolve(bodiesOf(line.answered).filter(Boolean).length >= messages.length), { withinMs: 5_000 });
        line.destroy();
        return bodiesOf(line.answered);
      };
      assert.deepEqual(await answersOf(ours), await answersOf(plain), `seed ${seed}`);
      sent += messages.length;
    }
    assert.ok(byShape > sent / 6, `${byShape} of ${sent} were known`);
    assert.equal(known.underWay, 0);
  });

  it("do not lend their own headers to whoever leaves them empty", async () => {
    const known = new KnownHeads({ handle: tell, keepAliveS: 65, ending: () => false });
    const server = serverThatLearns(known);
    const line = new Line();
    server.emit("connection", line);
    for (const value of ["Bearer secret", "Bearer other", ""]) {
      line.push(Buffer.from(`POST /buy/${IDS[0]}1/now HTTP/1.1\r\nHost: here\r\nAuthorization: ${value}\r\nContent-Length: 1\r\n\r\nx`));
      await aMoment();
    }
    await until(() => Promise.resolve(bodiesOf(line.answered).length === 3), { withinMs: 5_000 });
    const tokens = bodiesOf(line.answered).map((body) => /"authorization","([^"]*)"/.exec(body)?.[1]);
    assert.deepEqual(tokens, ["Bearer secret", "Bearer other", ""]);
    line.destroy();
  });
});
