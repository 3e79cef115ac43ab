// Authorization of every action, on the bus and over HTTP: closed by default.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { ServiceBroker } from "moleculer";
import type { Answer } from "../../domain/refusal.ts";
import { createInternalTokenMint } from "../../lib/auth/jwt.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { peopleAt } from "../support/fixtures/accounts.ts";
import { assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import { type Ended, runBoxoffice } from "../support/processes/boxoffice.ts";

describe("operators", () => {
  let engine: Engine;
  let broker: ServiceBroker;
  let ask: HttpClient;
  before(async () => {
    engine = await startEngine();
    ask = httpClient(engine.url);
    ({ broker } = await engine.startNode({ SERVICES: "ledger" }));
    await broker.waitForServices(["api", "auth", "catalog", "purchasing", "ledger"], 10_000, 50);
  });
  after(() => engine.close());

  type Action = { name: string; action?: { auth?: string } };
  const actions = (): Action[] => broker.registry.getActionList({ withEndpoints: false });
  /** Valid params: Moleculer checks params before authorization. */
  const ASKED: Record<string, object> = {
    "auth.find": { email: "ada@example.org" },
    "catalog.left": { eventIds: [randomUUID()] },
    "auth.grant": { email: "ada@example.org", role: "operator" },
    "catalog.import": { records: [], last: false },
    "catalog.compareImages": { events: [] },
    "catalog.storeImages": { images: [] },
    "catalog.usedImages": { hashes: [] },
    "catalog.upcoming": { source: "json" },
    "ledger.discard": { id: "0".repeat(16) },
    "ledger.retryFailed": { eventId: randomUUID() },
    "purchasing.tickets.check": { code: "boxoffice:none" },
  };
  const call = async (action: string, token?: string): Promise<string> => {
    const answer = await broker.call<Answer<unknown> | undefined, object>(
      action,
      ASKED[action] ?? {},
      token === undefined ? {} : { meta: { token } },
    );
    return answer?.ok === false ? answer.refusal.code : "answered";
  };

  it("S18: operators' actions refuse a customer and a stranger on the bus, and an action that declares no caller is closed to all", async () => {
    const mint = createInternalTokenMint(engine.config.internalTokenSecret);
    const customer = mint({ userId: randomUUID(), role: "customer" });
    const operator = mint({ userId: randomUUID(), role: "operator" });
    const ours = actions().filter(({ name }) => !name.startsWith("$node."));
    const operators = ours
      .filter(({ action }) => action?.auth === "operator")
      .map(({ name }) => name);
    for (const name of [
      "auth.find",
      "api.status",
      "auth.grant",
      "auth.operators",
      "catalog.flush",
      "catalog.compareImages",
      "catalog.import",
      "catalog.status",
      "catalog.storeImages",
      "catalog.upcoming",
      "catalog.usedImages",
      "ledger.deadLetters",
      "ledger.discard",
      "ledger.reconcile",
      "ledger.replay",
      "ledger.retryFailed",
      "ledger.status",
      "node.drain",
      "purchasing.tickets.check",
      "purchasing.workers",
    ])
      assert.ok(operators.includes(name), `${name} is an operator's`);
    for (const name of operators)
      assert.deepEqual(
        [await call(name, customer), await call(name)],
        ["FORBIDDEN", "UNAUTHENTICATED"],
        name,
      );
    // Every action of the engine declares `auth`, so this service adds one without it.
    broker.createService({
      name: "forgotten",
      actions: { door: () => ({ ok: true, value: "in" }) },
    });
    await broker.waitForServices("forgotten", 10_000, 50);
    for (const name of [
      ...ours.filter(({ action }) => action?.auth === undefined).map(({ name }) => name),
      "forgotten.door",
    ])
      assert.deepEqual(
        [await call(name, operator), await call(name)],
        ["FORBIDDEN", "FORBIDDEN"],
        name,
      );
    assert.deepEqual(
      ours
        .filter(({ action }) => action?.auth === "public")
        .map(({ name }) => name)
        .sort(),
      [
        "auth.confirmEmail",
        "auth.keys",
        "auth.login",
        "auth.logout",
        "auth.refresh",
        "auth.register",
        "auth.requestPasswordReset",
        "auth.resetPassword",
        "catalog.filters",
        "catalog.get",
        "catalog.left",
        "catalog.search",
      ],
      "the public actions are those of the contract",
    );
    assert.deepEqual(
      ours.filter(({ action }) => action?.auth === "each").map(({ name }) => name),
      ["purchasing.submit"],
      "one action authorizes call by call: test/bus/command-lists.int.test.ts",
    );
  });

  it("S18: no action can be named by a path, with a customer's token or none; an operator's route refuses the customer", async () => {
    const token = engine.accessToken();
    const names = actions().map(({ name }) => name);
    assert.ok(names.includes("$node.list") && names.includes("purchasing.buy"));
    const paths = names.flatMap((name) => {
      const slashed = name.replaceAll(".", "/");
      return [
        `/${slashed}`,
        `/${name}`,
        `/api/${slashed}`,
        `/api/${name}`,
        `/api/~${slashed.slice(1)}`,
      ];
    });
    const contract = new Set([
      "/api/auth/login",
      "/api/auth/logout",
      "/api/auth/me",
      "/api/auth/password",
      "/api/auth/refresh",
      "/api/auth/register",
    ]);
    for (const path of paths.filter((text) => !contract.has(text)))
      for (const method of ["GET", "POST"]) {
        const answer = await ask(method, path, { token, ...(method === "POST" && { json: {} }) });
        // A session's or a ticket's address is the contract's, whatever the id.
        const known = /^\/api\/(?:auth\/sessions|events|tickets)\/\w+$/.test(path);
        if (answer.status === 405 && known) assertProblem(answer, 405, "METHOD_NOT_ALLOWED");
        else assertProblem(answer, 404, "NOT_FOUND");
      }
    assertProblem(await ask("GET", "/api/~node/list", { token }), 404, "NOT_FOUND");
    const engineNow = await ask("GET", "/api/operator/engine", { token });
    assertProblem(engineNow, 403, "FORBIDDEN");
  });

  it("are granted and revoked by a command, which ends the sessions of that account only", async () => {
    const run = async (...words: string[]): Promise<Ended> => {
      const { out, ...rest } = await runBoxoffice(engine.environment, ["user", ...words]);
      return { ...rest, out: out.trim() };
    };
    const people = peopleAt(ask);
    const [ada, bob] = [await people.person(), await people.person()];
    const login = async (email: string) =>
      (await people.login(email)).json as { refreshToken: string; user: { role: string } };
    const refresh = async (token: string) => (await people.refresh(token)).status;
    const [before, bystander] = [await login(ada), await login(bob)];

    assert.deepEqual(await run("list"), { code: 0, out: "There are no operators.", error: "" });
    assert.deepEqual(await run("grant", ` ${ada.toUpperCase()}`, "operator"), {
      code: 0,
      out: `${ada} is operator now; all sessions have ended`,
      error: "",
    });
    assert.equal(await refresh(before.refreshToken), 401);
    assert.equal((await login(ada)).user.role, "operator");
    assert.equal((await run("list")).out, `${ada}  Ada`);

    const operator = await login(ada);
    assert.equal((await run("grant", ada, "operator")).out, `${ada} is operator already`);
    assert.equal(await refresh(operator.refreshToken), 200, "nothing changed, so nothing ended");
    assert.equal((await run("revoke", ada)).out, `${ada} is customer now; all sessions have ended`);
    assert.equal(await refresh(operator.refreshToken), 401);
    assert.equal((await login(ada)).user.role, "customer");
    assert.equal(await refresh(bystander.refreshToken), 200);

    assert.deepEqual(await run("grant", "unknown@example.org", "operator"), {
      code: 1,
      out: "",
      error: "No account has the e-mail address unknown@example.org.\n",
    });
    const misused = [
      [],
      ["grant", ada],
      ["grant", ada, "root"],
      ["grant", "ada", "operator"],
      ["revoke"],
      ["list", "x"],
    ];
    for (const { code, error } of await Promise.all(misused.map((words) => run(...words)))) {
      assert.equal(code, 2, error);
      assert.match(error, /Usage: boxoffice user|Add --help for usage\.$/m);
    }
  });
});
