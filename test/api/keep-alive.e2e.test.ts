// Repeated requests on one keep-alive connection get the same answers as the first.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { type Engine, startEngine } from "../support/engine.ts";

type Heard = { status: string; lines: string[]; body: Buffer };

/** Sends a request in one piece and reads its answer, whose length is stated. */
async function ask(socket: Socket, request: string): Promise<Heard> {
  socket.write(request);
  let bytes = Buffer.alloc(0);
  for (;;) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    bytes = Buffer.concat([bytes, chunk]);
    const end = bytes.indexOf("\r\n\r\n");
    if (end === -1) continue;
    const [status = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
    const length = Number(/^content-length: (\d+)$/im.exec(lines.join("\n"))?.[1] ?? 0);
    if (bytes.length >= end + 4 + length) return { status, lines, body: bytes.subarray(end + 4) };
  }
}

/** What of an answer is its own: the moment, and ids. */
const common = ({ status, lines }: Heard): string[] => [
  status,
  ...lines
    .map((line) => line.replace(/^(Date|X-Request-ID|ETag|Content-Length): .+$/, "$1"))
    .sort(),
];

describe("repeated requests on one connection", () => {
  let engine: Engine;
  let socket: Socket;
  before(async () => {
    engine = await startEngine();
    const { port, hostname } = new URL(engine.url);
    socket = connect(Number(port), hostname);
  });
  after(async () => {
    socket.destroy();
    await engine.close();
  });

  it("get the same events, plain and compressed, and 304 for a known ETag", async () => {
    const eventId = await engine.addEvent({ capacity: 5 });
    for (const [path, more] of [
      [`/api/events/${eventId}`, ""],
      ["/api/events?limit=20", "Accept-Encoding: gzip, deflate, br\r\n"],
    ] as const) {
      const get = (extra = ""): Promise<Heard> =>
        ask(socket, `GET ${path} HTTP/1.1\r\nHost: here\r\nAccept: */*\r\n${more}${extra}\r\n`);
      const first = await get("X-Request-ID: first\r\n");
      await get();
      const repeated = await get();
      assert.deepEqual(common(repeated), common(first), path);
      assert.deepEqual(repeated.body, first.body);
      const etag =
        repeated.lines.find((line) => line.startsWith("ETag: "))?.slice(6) ??
        assert.fail("no ETag");
      for (let number = 1; number <= 3; number += 1) {
        const { status, body } = await get(`If-None-Match: ${etag}\r\n`);
        assert.deepEqual([status, body.length], ["HTTP/1.1 304 Not Modified", 0]);
      }
    }
  });

  it("sell to each buyer under its own key, and refuse as before", async () => {
    const eventId = await engine.addEvent({ capacity: 4 });
    const buy = (key: string, token: string, body = '{"quantity":1}'): Promise<Heard> =>
      ask(
        socket,
        `POST /api/events/${eventId}/tickets HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n` +
          `Idempotency-Key: ${key}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    const json = ({ body }: Heard) =>
      JSON.parse(body.toString()) as { transactionId: string; code: string };
    const buyers = Array.from({ length: 4 }, () => ({
      key: randomUUID(),
      token: engine.accessToken(),
    }));
    const sold: Heard[] = [];
    for (const { key, token } of buyers) sold.push(await buy(key, token));
    const withoutKey = (heard: Heard): string[] =>
      common(heard).map((line) => line.replace(/^Idempotency-Key: .*/, "Idempotency-Key"));
    for (const [index, heard] of sold.entries()) {
      assert.equal(heard.status, "HTTP/1.1 201 Created");
      assert.deepEqual(withoutKey(heard), withoutKey(sold[0] ?? assert.fail()));
      assert.ok(heard.lines.includes(`Idempotency-Key: ${buyers[index]?.key}`));
    }
    assert.equal(new Set(sold.map((heard) => json(heard).transactionId)).size, 4);

    const [{ key, token } = assert.fail()] = buyers;
    const again = await buy(key, token);
    assert.equal(json(again).transactionId, json(sold[0] ?? assert.fail()).transactionId);
    assert.ok(again.lines.includes("Idempotent-Replayed: true"));
    const codes: string[] = [];
    for (const [who, body] of [
      [engine.accessToken(), '{"quantity":1}'],
      ["nonsense", '{"quantity":1}'],
      [token, '{"quantity":0}'],
      [token, '{"quantity":1,'],
    ] as const)
      codes.push(json(await buy(randomUUID(), who, body)).code);
    assert.deepEqual(codes, ["EVENT_SOLD_OUT", "UNAUTHENTICATED", "VALIDATION_ERROR", "MALFORMED"]);
  });
});
