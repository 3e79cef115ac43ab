// Strictness: where a lenient server would guess, cut or mend, the gateway refuses, with a 4xx and
// never a 500.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Engine, startEngine } from "../support/engine.ts";
import { type HttpClient, assertProblem, httpClient, sendRaw } from "../support/http/http.ts";

describe("the gateway is strict", () => {
  let engine: Engine;
  let ask: HttpClient;
  let eventId: string;
  let token: string;
  before(async () => {
    engine = await startEngine();
    ask = httpClient(engine.url);
    eventId = await engine.addEvent();
    token = engine.accessToken();
  });
  after(() => engine.close());

  it("reads queries strictly", async () => {
    const wrong = [
      "limit=0",
      "limit=101",
      "limit=1e1",
      "limit=1.5",
      "limit=-1",
      "limit=",
      "limit=%2010",
      "limit=1000000000",
      "limit=1&limit=2",
      "limit[]=1",
      "limit=abc",
      "name=",
      `name=${"x".repeat(101)}`,
      "name=%00",
      "name=a&name=b",
      "date=2026-02-30",
      "date=0000-01-01",
      "date=2026-1-1",
      "from=yesterday",
      "cursor=not-ours",
      `cursor=${"A".repeat(600)}`,
      "unknown=1",
      "__proto__=1",
      "constructor=1",
      "Limit=1",
    ];
    for (const query of wrong) {
      const answer = await ask("GET", `/api/events?${query}`);
      assertProblem(answer, 422, "VALIDATION_ERROR");
      const [broken] = answer.json?.errors as { field: string; rule: string }[];
      assert.ok(broken && Object.keys(broken).join() === "field,rule" && broken.rule !== "", query);
    }
    assertProblem(await ask("GET", "/api/events?name=%ff"), 400, "MALFORMED");
    assertProblem(await ask("GET", "/api/events?name=%zz"), 400, "MALFORMED");
    for (const path of [`/api/events/${eventId}?x=1`, "/api/events/filters?x=1"])
      assertProblem(await ask("GET", path), 422, "VALIDATION_ERROR");
    assertProblem(await ask("GET", "/api/tickets?status=sold", { token }), 422, "VALIDATION_ERROR");
    assert.equal(
      (await ask("GET", "/api/events?limit=100&location=berlin&name=%25_%5C+ert")).status,
      200,
    );
    assert.equal((await ask("GET", "/healthz?from=probe")).status, 200);
  });

  it("refuses malformed ids", async () => {
    for (const id of [
      "1",
      "nil",
      `${eventId}x`,
      `urn:uuid:${eventId}`,
      `{${eventId}}`,
      "%00",
      "%zz",
      "..%2f..%2fetc",
    ]) {
      assertProblem(await ask("GET", `/api/events/${id}`), 422, "VALIDATION_ERROR");
      assertProblem(await ask("DELETE", `/api/tickets/${id}`, { token }), 422, "VALIDATION_ERROR");
    }
    for (const id of ["0", "g".repeat(128), "A".repeat(128), "0".repeat(127)])
      assertProblem(
        await ask("GET", `/api/transactions/${id}`, { token }),
        422,
        "VALIDATION_ERROR",
      );
    assertProblem(
      await ask("GET", `/api/transactions/${"0".repeat(128)}`, { token }),
      404,
      "TRANSACTION_NOT_FOUND",
    );
  });

  it("reads bodies strictly, and sells nothing by mistake", async () => {
    const path = `/api/events/${await engine.addEvent()}/tickets`;
    const headers = { "Content-Type": "application/json" };
    const bodies: [status: number, code: string, body: string | Uint8Array<ArrayBuffer>][] = [
      ...[
        '{"quantity":0}',
        '{"quantity":11}',
        '{"quantity":-1}',
        '{"quantity":1.5}',
        '{"quantity":"1"}',
        '{"quantity":[1]}',
        '{"quantity":null}',
        '{"quantity":1e400}',
        '{"quantity":true}',
        '{"quantity":1,"quantity":2}',
        '{"quantity":1,"\\u0071uantity":1}',
        '{"quantity":1,"userId":"x"}',
        '{"__proto__":{"quantity":1}}',
        '{"constructor":1}',
        "[]",
        "1",
        "null",
        '"quantity"',
      ].map((body): [number, string, string] => [422, "VALIDATION_ERROR", body]),
      ...["{", '{"quantity":NaN}', "quantity=1", '{"quantity":1}}', "\u{feff}{}"].map(
        (body): [number, string, string] => [400, "MALFORMED", body],
      ),
      [422, "VALIDATION_ERROR", ""],
      [400, "MALFORMED", new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
      [422, "VALIDATION_ERROR", `${"[".repeat(30_000)}${"]".repeat(30_000)}`],
      [413, "TOO_LARGE", `{"a":"${"x".repeat(65_536)}"}`],
      [413, "TOO_LARGE", `{"quantity":1${" ".repeat(65_536 - 13)}}`],
    ];
    for (const [status, code, body] of bodies)
      assertProblem(await ask("POST", path, { token, headers, body }), status, code);
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/json; charset=latin1",
      "application/jsonp",
      "multipart/form-data",
    ])
      assertProblem(
        await ask("POST", path, { token, headers: { "Content-Type": type }, body: "{}" }),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
      );
    assertProblem(
      await ask("POST", path, {
        token,
        headers: { ...headers, "Content-Encoding": "gzip" },
        body: "{}",
      }),
      415,
      "UNSUPPORTED_MEDIA_TYPE",
    );
    for (const key of ["", "x".repeat(256), "tab\there", "caf\u00e9", "\u00a0", "\u00c3\u00a9"]) {
      const answer = await ask("POST", path, { token, headers: { "Idempotency-Key": key } });
      assertProblem(answer, 422, "VALIDATION_ERROR");
      assert.deepEqual(
        [answer.json?.errors, answer.json?.detail],
        [
          [{ field: "Idempotency-Key", rule: "pattern" }],
          "An Idempotency-Key has 1 to 255 printable ASCII characters.",
        ],
      );
      assert.equal(answer.headers.get("idempotency-key"), null);
    }
    for (const key of [undefined, "mine"]) {
      const headers = key === undefined ? {} : { "Idempotency-Key": key };
      const answer = await ask("POST", path, { token, headers, json: { quantity: -1 } });
      assertProblem(answer, 422, "VALIDATION_ERROR");
      assert.equal(answer.headers.get("idempotency-key"), key ?? null);
    }
    const spaced = await ask("POST", path, {
      token: engine.accessToken(),
      json: {},
      headers: { "Idempotency-Key": "two words" },
    });
    assert.deepEqual([spaced.status, spaced.headers.get("idempotency-key")], [201, "two words"]);
    assert.deepEqual(
      (await ask("GET", "/api/tickets?limit=1", { token: engine.accessToken() })).json,
      { items: [], nextCursor: null },
    );
    const allowed = await ask("POST", path, {
      token,
      headers: { "Content-Type": 'Application/JSON; charset="UTF-8"' },
      body: `{"quantity":1${" ".repeat(65_536 - 14)}}`,
    });
    assert.equal(allowed.status, 201, "64 KiB are allowed");
  });

  it("refuses what is not HTTP with a problem document, and closes", async () => {
    const malformed = await sendRaw(engine.url, "NOT HTTP\r\n\r\n");
    assert.match(malformed, /^HTTP\/1\.1 400 [^]*application\/problem\+json[^]*"code":"MALFORMED"/);
    const flood = await sendRaw(
      engine.url,
      `GET / HTTP/1.1\r\nHost: x\r\n${"X-Flood: yes\r\n".repeat(2_000)}\r\n`,
    );
    assert.match(flood, /^HTTP\/1\.1 413 [^]*"code":"TOO_LARGE"/);
    const trace = await sendRaw(
      engine.url,
      "TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    assert.match(trace, /^HTTP\/1\.1 405 [^]*Allow: GET, HEAD, OPTIONS/);
  });
});
