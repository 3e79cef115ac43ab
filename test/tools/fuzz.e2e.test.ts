import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { type Contract, CONTRACT_FILE, readContract } from "../../tools/fuzz/contract.ts";
import { faultsOf } from "../../tools/fuzz/verdict.ts";
import { fuzz } from "../../tools/fuzz/run.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { httpClient } from "../support/http/http.ts";

const CREDENTIALS = { email: "fuzz@example.com", password: "seventeen violet umbrellas" };
const REQUESTS = 2_000;

describe("fuzz over the contract", () => {
  let engine: Engine;
  let contract: Contract;
  let served: Contract;
  before(async () => {
    engine = await startEngine({ RATE_LIMITS: "off" });
    served = readContract((await httpClient(engine.url)("GET", "/api/openapi.json")).text);
    contract = readContract(readFileSync(CONTRACT_FILE, "utf8"));
  });
  after(() => engine.close());

  it("S20: 2,000 valid and invalid requests are answered as the contract says", async (t) => {
    const ask = httpClient(engine.url);
    assert.equal(
      (await ask("POST", "/api/auth/register", { json: { ...CREDENTIALS, name: "Fuzz" } })).status,
      201,
    );
    const login = await ask("POST", "/api/auth/login", { json: CREDENTIALS });
    const eventIds = [
      await engine.addEvent({ capacity: 10_000 }),
      await engine.addEvent({ capacity: 3 }),
      await engine.addEvent({ startsInMs: -1 }),
    ];
    const tokens = [
      String(login.json?.accessToken),
      ...Array.from({ length: 15 }, () => engine.accessToken()),
    ];
    const seed = 20261122;
    const report = await fuzz({
      url: engine.url,
      contract,
      served,
      requests: REQUESTS,
      seed,
      eventIds,
      credentials: CREDENTIALS,
      tokens,
    });
    t.diagnostic(
      JSON.stringify({
        statuses: report.statuses,
        slowestMs: Math.round(report.slowestMs),
        absent: report.absent,
      }),
    );
    assert.deepEqual(report.faults, [], report.faults.join("\n\n"));
    for (const status of ["200", "201", "401", "404", "405", "413", "415", "422"])
      assert.ok((report.statuses[status] ?? 0) > 0, `no request was answered ${status}`);
  });

  it("detects answers that break the contract", () => {
    const operation =
      contract.operations.find(
        ({ method, path }) => method === "POST" && path === "/api/events/{eventId}/tickets",
      ) ?? assert.fail();
    const request = {
      operation,
      method: "POST",
      target: "/api/events/x/tickets",
      headers: {},
      body: Buffer.from('{"quantity":99}'),
      intent: "nearly",
    } as const;
    const problem = {
      type: "urn:boxoffice:problem:try-again",
      title: "t",
      status: 503,
      code: "TRY_AGAIN",
      requestId: "r",
    };
    const headers = {
      "content-type": "application/problem+json",
      "x-request-id": "r",
      "retry-after": "1",
      "cache-control": "no-store",
    };
    const answer = (more: object, changed: object = {}) => ({
      status: 503,
      headers: { ...headers, ...more },
      body: JSON.stringify({ ...problem, ...changed }),
      ms: 1,
    });
    assert.deepEqual(faultsOf(contract, request, answer({})), []);
    const broken = [
      answer({ "content-type": "application/json" }),
      answer({ "retry-after": undefined }),
      answer({ "x-request-id": "other" }),
      answer({}, { title: undefined }),
      answer({}, { code: "SOMETHING_ELSE" }),
      answer({}, { detail: 'relation "event" does not exist' }),
      { ...answer({}), ms: 6_000 },
      {
        status: 500,
        headers,
        body: JSON.stringify({
          ...problem,
          type: "urn:boxoffice:problem:internal",
          status: 500,
          code: "INTERNAL",
        }),
        ms: 1,
      },
      { status: 202, headers: {}, body: "{}", ms: 1 },
      { status: 201, headers: { "content-type": "application/json" }, body: "{}", ms: 1 },
    ];
    const problemWith = (status: number, code: string) => {
      const type = `urn:boxoffice:problem:${code.toLowerCase().replaceAll("_", "-")}`;
      return { ...answer({}, { status, code, type }), status };
    };
    const own =
      served.operations.find(
        ({ method, path }) => method === "POST" && path === request.operation.path,
      ) ?? assert.fail();
    const byServed = (one: ReturnType<typeof answer>) =>
      faultsOf(served, { ...request, operation: own }, one);
    for (const [status, code] of [
      [409, "EVENT_OVER"],
      [503, "OUTCOME_UNKNOWN"],
      [403, "FORBIDDEN"],
    ] as const)
      assert.deepEqual(byServed(problemWith(status, code)), [], code);
    for (const [status, code] of [
      [409, "EMAIL_TAKEN"],
      [404, "TICKET_NOT_FOUND"],
      [403, "CSRF_REFUSED"],
    ] as const)
      assert.notDeepEqual(
        byServed(problemWith(status, code)),
        [],
        `${code} is not a purchase's, by the document of the engine`,
      );
    for (const one of broken)
      assert.notDeepEqual(faultsOf(contract, request, one), [], JSON.stringify(one));
  });
});
