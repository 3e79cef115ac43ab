// Rules of the edge for every request, page or API, over plain HTTP, TLS and HTTP/2.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { Engine } from "../support/engine.ts";
import { assertProblem, type HttpClient, httpClient, sendRaw } from "../support/http/http.ts";
import { http2Client } from "../support/http/http2.ts";
import { startTlsEngine, type TlsEngine } from "../support/fixtures/tls-engine.ts";
import { waitFor } from "../support/wait-for.ts";

const SHOP = "https://shop.example";

describe("the edge", () => {
  let tls: TlsEngine;
  let engine: Engine;
  let ask: HttpClient;
  let tlsUrl: string;
  let eventId: string;
  let handshake: TlsEngine["handshake"];
  before(async () => {
    tls = await startTlsEngine({ CORS_ORIGINS: `${SHOP},http://localhost:5173` });
    ({ engine, tlsUrl, eventId, handshake } = tls);
    ask = httpClient(engine.url);
  });
  after(() => tls.close());

  it("S21: bodies over 64 KiB and pages of a thousand million are refused, on HTTP/1.1 and HTTP/2, with and without a stated length", async () => {
    const token = engine.accessToken();
    const path = `/api/events/${eventId}/tickets`;
    const large = JSON.stringify({ quantity: 1, filler: "x".repeat(70_000) });
    const headers = { "Content-Type": "application/json" };
    assertProblem(await ask("POST", path, { token, headers, body: large }), 413, "TOO_LARGE");
    assertProblem(await ask("GET", "/api/events?limit=1000000000"), 422, "VALIDATION_ERROR");
    const client = http2Client(tlsUrl);
    const h2 = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    assert.equal((await client.ask("POST", path, h2, large)).status, 413);
    assert.equal(
      (await client.ask("POST", path, { ...h2, "content-length": large.length }, large)).status,
      413,
    );
    client.close();
  });

  it("S21: header floods are refused and their connections closed", async () => {
    for (const flood of [
      "X-Flood: yes\r\n".repeat(2_000),
      `X-Flood: ${"x".repeat(1_000)}\r\n`.repeat(17),
    ])
      assert.match(
        await sendRaw(engine.url, `GET / HTTP/1.1\r\nHost: x\r\n${flood}\r\n`),
        /^HTTP\/1\.1 413 [^]*"code":"TOO_LARGE"/,
      );
    const client = http2Client(tlsUrl);
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [`x-flood-${index}`, "yes"]),
    );
    await assert.rejects(client.ask("GET", "/healthz", many), "200 headers over HTTP/2");
    client.close();
  });

  it("S21: who sends a body or its headers too slowly is cut off", async () => {
    const headers = `Host: x\r\nAuthorization: Bearer ${engine.accessToken()}\r\nContent-Type: application/json\r\n`;
    const slowBody = sendRaw(
      engine.url,
      `POST /api/events/${eventId}/tickets HTTP/1.1\r\n${headers}Content-Length: 14\r\n\r\n{"quan`,
    );
    const slowHeaders = sendRaw(engine.url, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow");
    const client = http2Client(tlsUrl);
    const stream = client.session.request(
      {
        ":method": "POST",
        ":path": `/api/events/${eventId}/tickets`,
        authorization: `Bearer ${engine.accessToken()}`,
      },
      { endStream: false },
    );
    stream.on("error", () => undefined);
    stream.write('{"quan');
    const cut = waitFor(() => stream.closed, {
      withinMs: 19_000,
      what: "The stream of HTTP/2 was closed",
    });
    for (const received of await Promise.all([slowBody, slowHeaders]))
      assert.match(received, /^HTTP\/1\.1 400 [^]*MALFORMED/);
    await cut;
    client.close();
  });

  it("S25: pages, API and errors carry the headers that keep browsers safe; HSTS on TLS only", async () => {
    const client = http2Client(tlsUrl);
    for (const [path, status] of [
      ["/", 200],
      ["/api/events", 200],
      ["/api/tickets", 401],
      ["/nothing", 404],
      ["/api/events?x=1", 422],
    ] as const) {
      const { headers } = await client.ask("GET", path);
      assert.equal(Number(headers[":status"]), status);
      assert.equal(headers["strict-transport-security"], "max-age=31536000", path);
      const plain = await ask("GET", path, { headers: { "X-Forwarded-Proto": "https" } });
      assert.equal(
        plain.headers.get("strict-transport-security"),
        null,
        "no trusted proxy says https",
      );
      for (const find of [
        (name: string) => headers[name],
        (name: string) => plain.headers.get(name),
      ]) {
        const policy = String(find("content-security-policy"));
        for (const directive of [
          "default-src 'none'",
          "object-src 'none'",
          "base-uri 'none'",
          "frame-ancestors 'none'",
        ])
          assert.ok(policy.includes(directive), `${path}: ${policy}`);
        assert.ok(!/unsafe-|\*|https?:/.test(policy), `${path}: ${policy}`);
        assert.equal(find("x-content-type-options"), "nosniff");
        assert.equal(find("referrer-policy"), "no-referrer");
        assert.equal(find("cross-origin-opener-policy"), "same-origin");
        assert.equal(find("cross-origin-resource-policy"), "same-origin");
        for (const telling of ["server", "x-powered-by"]) assert.ok(!find(telling), telling);
      }
    }
    client.close();
    const malformed = await sendRaw(engine.url, "NOT HTTP\r\n\r\n");
    assert.match(malformed, /content-security-policy: default-src 'none'/i);
    const socket = await handshake();
    socket.end("NOT HTTP\r\n\r\n");
    assert.match(
      Buffer.concat(await socket.toArray()).toString(),
      /strict-transport-security: max-age=31536000/i,
    );
    assert.match(
      String((await ask("GET", "/")).headers.get("content-security-policy")),
      /script-src 'self'[^]*connect-src 'self'/,
    );
  });

  it("S26: other origins get nothing unless they are listed, letter by letter", async () => {
    const allowed = (headers: Headers) =>
      [...headers.keys()].filter((name) => name.startsWith("access-control-"));
    const strangers = [
      "null",
      "*",
      "https://evil.example",
      "https://shop.example.evil.example",
      "https://evilshop.example",
      "https://shop.exampl",
      "https://shop.example:8443",
      "http://shop.example",
      "https://SHOP.example",
      `${SHOP}/`,
      `${SHOP}, ${SHOP}`,
      "https://sub.shop.example",
    ];
    for (const Origin of strangers) {
      for (const method of ["GET", "OPTIONS"]) {
        const { headers } = await ask(method, "/api/events", {
          headers: { Origin, "Access-Control-Request-Method": "GET" },
        });
        assert.deepEqual(allowed(headers), [], `${method} from ${Origin}`);
        assert.match(headers.get("vary") ?? "", /Origin/);
      }
    }
    for (const Origin of [SHOP, "http://localhost:5173"]) {
      const read = await ask("GET", "/api/nothing", { headers: { Origin } });
      assert.equal(read.headers.get("access-control-allow-origin"), Origin);
      assert.equal(read.headers.get("access-control-allow-credentials"), "true");
      assert.match(
        read.headers.get("access-control-expose-headers") ?? "",
        /Idempotency-Key[^]*Retry-After/,
      );
      const preflight = await ask("OPTIONS", `/api/events/${eventId}/tickets`, {
        headers: {
          Origin,
          "Access-Control-Request-Method": "POST",
          "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
        },
      });
      assert.equal(preflight.status, 204);
      assert.match(preflight.headers.get("access-control-allow-methods") ?? "", /POST/);
      assert.match(
        preflight.headers.get("access-control-allow-headers") ?? "",
        /Authorization, Content-Type, Idempotency-Key/,
      );
    }
    assert.deepEqual(allowed((await ask("GET", "/api/events")).headers), []);
  });

  it("compresses pages and JSON where asked, and never an answer about tokens", async () => {
    await Promise.all(Array.from({ length: 5 }, () => engine.addEvent()));
    const client = http2Client(tlsUrl);
    // A search that is not cached from before these events.
    const events = "/api/events?limit=50";
    const plain = await client.ask("GET", events);
    assert.equal(plain.headers["content-encoding"], undefined);
    assert.match(String(plain.headers.vary), /Accept-Encoding/);
    const open = { br: brotliDecompressSync, gzip: gunzipSync };
    for (const [accept, encoding] of [
      ["gzip, deflate, br, zstd", "br"],
      ["gzip;q=1, br;q=0", "gzip"],
      ["*", "br"],
    ] as const) {
      const { headers, body } = await client.ask("GET", events, { "accept-encoding": accept });
      assert.equal(headers["content-encoding"], encoding, accept);
      assert.equal(Number(headers["content-length"]), body.length);
      assert.deepEqual(
        JSON.parse(open[encoding](body).toString()),
        JSON.parse(plain.body.toString()),
      );
      assert.ok(body.length < plain.body.length / 2);
    }
    assert.equal(
      (await client.ask("GET", "/", { "accept-encoding": "br" })).headers["content-encoding"],
      "br",
    );
    for (const accept of ["identity", "br;q=0, gzip;q=0.000", "zstd"])
      assert.equal(
        (await client.ask("GET", "/", { "accept-encoding": accept })).headers["content-encoding"],
        undefined,
        accept,
      );
    const wide = { "accept-encoding": "br", authorization: `Bearer ${engine.accessToken()}` };
    assert.equal(
      (await client.ask("GET", "/api/auth/me", wide)).headers.vary,
      "Origin",
      "the routes about tokens do not compress",
    );
    client.close();
  });
});
