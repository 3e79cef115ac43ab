// The engine behind a real nginx, as sites run it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Nginx, startNginx } from "../../tools/dev-servers/nginx.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { PASSWORD, peopleAt, tokensOf } from "../support/fixtures/accounts.ts";
import { openStream } from "../support/http/event-stream.ts";
import { assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import { provideProgram } from "../support/processes/programs.ts";

const CLAIMED = "6.6.6.6";

describe("behind nginx", () => {
  let engine: Engine;
  let nginx: Nginx;
  let url: string;
  let ask: HttpClient;
  before(async () => {
    const provided = await provideProgram("nginx");
    if (typeof provided === "string") assert.fail(provided);
    engine = await startEngine({ TRUSTED_PROXIES: "1", RATE_LIMITS: "on" });
    const upstreams = [Number(new URL(engine.url).port)];
    nginx = await startNginx(provided.nginx ?? "nginx", { upstreams });
    url = `http://127.0.0.1:${nginx.ports[0]}`;
    ask = httpClient(url);
  });
  after(async () => {
    await nginx.stop();
    await engine.close();
  });

  it("buyers register, buy, repeat and cancel; an address is the client's, not what it claims", async () => {
    const { person, login } = peopleAt(ask);
    const { accessToken: token } = tokensOf(
      await login(await person(), PASSWORD, { "X-Forwarded-For": CLAIMED }),
    );
    const sessions = await ask("GET", "/api/auth/sessions", { token });
    const [session] = sessions.json?.items as { address: string }[];
    assert.equal(session?.address, "127.0.0.1");

    const eventId = await engine.addEvent({ capacity: 2 });
    const buy = (key: string) =>
      ask("POST", `/api/events/${eventId}/tickets`, {
        token,
        json: { quantity: 2 },
        headers: { "Idempotency-Key": key },
      });
    const bought = await buy("one");
    assert.equal(bought.status, 201, bought.text);
    assert.deepEqual((await buy("one")).json, bought.json);
    assertProblem(await buy("two"), 409, "EVENT_SOLD_OUT", ["available"]);
    const [ticket] = bought.json?.tickets as { id: string }[];
    assert.equal((await ask("DELETE", `/api/tickets/${ticket?.id}`, { token })).status, 200);
  });

  it("each change of what is left arrives while the stream stays open", async () => {
    const eventId = await engine.addEvent({ capacity: 3 });
    const stream = await openStream(url, eventId);
    try {
      await stream.sees(3);
      for (const left of [2, 1]) {
        const answer = await ask("POST", `/api/events/${eventId}/tickets`, {
          token: engine.accessToken(),
          json: {},
        });
        assert.equal(answer.status, 201, answer.text);
        await stream.sees(left);
      }
      assert.equal(stream.ended(), false);
    } finally {
      stream.close();
    }
  });
});
