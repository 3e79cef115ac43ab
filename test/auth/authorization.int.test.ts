// Every node checks the calls of its own actions, also calls over the bus without a valid token.
import assert from "node:assert/strict";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { type Context, ServiceBroker } from "moleculer";
import { accepted, type Answer } from "../../domain/refusal.ts";
import { authorization, callerOf } from "../../mixins/action.middleware.ts";
import { createInternalTokenMint, createInternalTokenVerifier } from "../../lib/auth/jwt.ts";
import { createAccessTokenSigner } from "../../lib/auth/access-token.ts";
import { serverUrls } from "../support/processes/servers.ts";

const SECRET = randomUUID() + randomUUID();

describe("authorization between two nodes", () => {
  const namespace = `test-${randomUUID()}`;
  const node = (): ServiceBroker =>
    new ServiceBroker({
      namespace,
      nodeID: randomUUID(),
      transporter: { type: "NATS", options: { url: serverUrls().TRANSPORTER } },
      logger: false,
      requestTimeout: 5_000,
      middlewares: [authorization(createInternalTokenVerifier(SECRET))],
    });
  let caller: ServiceBroker;
  let callee: ServiceBroker;
  const run: string[] = [];

  before(async () => {
    [caller, callee] = [node(), node()];
    const probe = (auth?: "public" | "customer" | "operator") => ({
      ...(auth && { auth }),
      handler: (ctx: Context): Answer<unknown> => {
        run.push(auth ?? "closed");
        return accepted(auth === "public" ? "anyone" : callerOf(ctx));
      },
    });
    callee.createService({
      name: "probe",
      actions: {
        public: probe("public"),
        customer: probe("customer"),
        operator: probe("operator"),
        closed: probe(),
      },
    });
    await Promise.all([caller.start(), callee.start()]);
    await caller.waitForServices("probe", 10_000, 50);
  });
  after(() => Promise.all([caller.stop(), callee.stop()]));

  const call = async (action: string, token?: unknown, from = caller): Promise<string> => {
    const answer = await from.call<Answer<unknown>, object>(
      `probe.${action}`,
      {},
      token === undefined ? {} : { meta: { token } },
    );
    return answer.ok ? JSON.stringify(answer.value) : answer.refusal.code;
  };

  const mint = createInternalTokenMint(SECRET);
  const customer = { userId: "c", role: "customer" } as const;
  const operator = { userId: "o", role: "operator" } as const;

  it("lets in whom the action names, and tells it who calls", async () => {
    assert.equal(await call("public"), '"anyone"');
    assert.equal(await call("customer", mint(customer)), JSON.stringify(customer));
    assert.equal(await call("customer", mint(operator)), JSON.stringify(operator));
    assert.equal(await call("operator", mint(operator)), JSON.stringify(operator));
    assert.equal(await call("operator", mint(customer)), "FORBIDDEN");
  });

  it("refuses missing, forged and foreign tokens from any node, and runs nothing", async () => {
    const access = createAccessTokenSigner(generateKeyPairSync("ed25519").privateKey);
    const tokens = [
      undefined,
      "",
      1,
      null,
      { userId: "o", role: "operator" },
      "a.b.c",
      createInternalTokenMint(`${SECRET}x`)(operator),
      access({ ...operator, sessionId: "s" }),
    ];
    run.length = 0;
    for (const from of [caller, callee])
      for (const token of tokens)
        for (const action of ["customer", "operator"])
          assert.equal(await call(action, token, from), "UNAUTHENTICATED");
    assert.deepEqual(run, []);
  });

  it("keeps an action closed that declares no caller, also for operators and locally", async () => {
    for (const from of [caller, callee])
      assert.equal(await call("closed", mint(operator), from), "FORBIDDEN");
    assert.deepEqual(run, []);
    assert.ok(
      Array.isArray(await caller.call("$node.list")),
      "Moleculer's own actions still answer",
    );
  });
});
