// The sold-out benchmark checks the rules about idempotency keys, and detects each violation.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { checkKeys } from "../../tools/bench/scenarios/key-rules.ts";
import { type Engine, startEngine } from "../support/engine.ts";

const PLACES = 3;

describe("the rules about keys, under a benchmark", () => {
  let engine: Engine;
  before(async () => {
    engine = await startEngine();
  });
  after(() => engine.close());

  const check = async (gateway: string): Promise<number> => {
    const eventId = await engine.addEvent({ capacity: PLACES });
    const tokens = Array.from({ length: PLACES }, () => engine.accessToken());
    const keys = await checkKeys({
      url: `${gateway}/api/events/${eventId}/tickets`,
      ticketsUrl: `${gateway}/api/tickets`,
      tokens,
    });
    const enough = new AbortController();
    const asking = keys.repeat(enough.signal);
    enough.abort();
    const asked = await asking;
    await keys.afterwards();
    return asked;
  };

  it("hold on the engine", async () => {
    assert.equal(await check(engine.url), 4);
  });

  it("detect a new sale for a retry, a lost key and a swapped key", async () => {
    const mistakes: Record<string, { ask: (headers: Headers) => void; expected: RegExp }> = {
      "a new key each time": {
        ask: (headers) => headers.set("Idempotency-Key", randomUUID()),
        expected: /the same key again: status should be 201/,
      },
      "no key": {
        ask: (headers) => headers.delete("Idempotency-Key"),
        expected: /the same key again: status should be 201/,
      },
      "one key for all": {
        ask: (headers) => headers.set("Idempotency-Key", "all"),
        expected: /the same key again: key should be/,
      },
    };
    for (const [name, { ask, expected }] of Object.entries(mistakes)) {
      const gateway = await proxyTo(engine.url, ask);
      try {
        await assert.rejects(check(gateway.url), expected, name);
      } finally {
        gateway.server.close();
        gateway.server.closeAllConnections();
      }
    }
  });
});

/** Opens a proxy in front of the gateway that makes one mistake with the request's headers. */
async function proxyTo(
  url: string,
  mistake: (headers: Headers) => void,
): Promise<{ url: string; server: Server }> {
  const pass = async (request: IncomingMessage): Promise<Response> => {
    const headers = new Headers();
    for (const name of ["authorization", "content-type", "idempotency-key"]) {
      const value = request.headers[name];
      if (typeof value === "string") headers.set(name, value);
    }
    mistake(headers);
    const body = request.method === "POST" ? { body: new Uint8Array(await buffer(request)) } : {};
    return fetch(`${url}${request.url ?? ""}`, {
      method: request.method ?? "GET",
      headers,
      ...body,
    });
  };
  const server = createServer((request, response) => {
    pass(request)
      .then(async (answer) => {
        const kept = ["idempotency-key", "idempotent-replayed"].flatMap((name) => {
          const value = answer.headers.get(name);
          return value === null ? [] : [name, value];
        });
        response.writeHead(answer.status, kept).end(await answer.text());
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
