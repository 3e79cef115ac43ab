// A gateway and an owner of events in different processes' place: two brokers over NATS. Purchases
// and cancellations of many people travel in lists, and each person gets what is theirs.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, afterEach, before, describe, it } from "node:test";
import { createInternalTokenMint } from "../../lib/auth/jwt.ts";
import { COLLECT, LIST_MAX, type ListPart, SUBMIT } from "../../lib/bus/command-list.ts";
import type { AnySchema, RunningNode } from "../../main.ts";
import PurchasingService from "../../services/purchasing/purchasing.service.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { type Answered, type HttpClient, httpClient } from "../support/http/http.ts";
import { waitFor } from "../support/wait-for.ts";

const PEOPLE = 60;

/** Counts the commands of each list that comes to the node. */
function counting(sizes: number[]): AnySchema {
  const { submit } = PurchasingService.actions as Record<string, { handler: Handler }>;
  const handler: Handler = function (ctx) {
    sizes.push(ctx.params.commands.length);
    return submit?.handler.call(this, ctx);
  };
  return {
    ...PurchasingService,
    actions: { ...PurchasingService.actions, submit: { ...submit, handler } },
  };
}
type Handler = (this: unknown, ctx: { params: { commands: unknown[] } }) => unknown;

/** The last release had no action for lists. */
function ofLastRelease(): AnySchema {
  const actions = { ...PurchasingService.actions };
  delete actions.submit;
  delete actions.collect;
  return { ...PurchasingService, actions };
}

describe("commands in lists", () => {
  let engine: Engine;
  let ask: HttpClient;
  let seller: RunningNode | undefined;
  let sizes: number[];
  before(async () => {
    engine = await startEngine({ SERVICES: "api,auth,catalog" });
    ask = httpClient(engine.url);
  });
  afterEach(async () => {
    await seller?.stop();
  });
  after(() => engine.close());

  /** Starts the node that sells, and an event that it sells already. */
  const startSeller = async (schema: AnySchema): Promise<string> => {
    seller = await engine.startNode({ SERVICES: "purchasing" }, { purchasing: schema });
    const eventId = await engine.addEvent({ capacity: 100_000 });
    await waitFor(async () => (await buy(eventId, randomUUID())).status === 201, {
      withinMs: 30_000,
      what: "a first sale",
    });
    return eventId;
  };
  const buy = (eventId: string, userId: string, key = "k"): Promise<Answered> =>
    ask("POST", `/api/events/${eventId}/tickets`, {
      token: engine.accessToken(userId),
      json: { quantity: 1 },
      headers: { "Idempotency-Key": key },
    });
  const ticketOf = ({ json }: Answered): string =>
    (json as { tickets: { id: string }[] }).tickets[0]?.id ?? assert.fail();
  const people = (): string[] => Array.from({ length: PEOPLE }, () => randomUUID());
  const ownersOf = async (eventId: string): Promise<Map<string, string>> => {
    const rows = await engine.database.query<{ id: string; user_id: string }>({
      text: "SELECT id, user_id FROM event_tickets WHERE event_id = $1",
      values: [eventId],
    });
    return new Map(rows.map(({ id, user_id }) => [id, user_id]));
  };

  it("give each person the tickets of that person, once per key, and cancel each ticket once", async () => {
    sizes = [];
    const eventId = await startSeller(counting(sizes));
    // Requests of one turn are likely, but no single try is certain to have them.
    await waitFor(
      async () => {
        const buyers = people();
        const bought = await Promise.all(buyers.map((userId) => buy(eventId, userId)));
        assert.deepEqual(new Set(bought.map(({ status }) => status)), new Set([201]));
        const owners = await ownersOf(eventId);
        for (const [index, answer] of bought.entries())
          assert.equal(owners.get(ticketOf(answer)), buyers[index]);
        const again = await Promise.all(buyers.map((userId) => buy(eventId, userId)));
        assert.deepEqual(again.map(ticketOf), bought.map(ticketOf));
        for (const { headers } of again) assert.equal(headers.get("idempotent-replayed"), "true");
        const cancelled = await Promise.all(
          buyers.map((userId, index) =>
            ask("DELETE", `/api/tickets/${ticketOf(bought[index] ?? assert.fail())}`, {
              token: engine.accessToken(userId),
            }),
          ),
        );
        assert.deepEqual(
          cancelled.map(({ json }) => json as { id: string; status: string }),
          cancelled.map(({ json }, index) => ({
            ...(json as object),
            id: ticketOf(bought[index] ?? assert.fail()),
            status: "cancelled",
          })),
        );
        return sizes.length > 0;
      },
      { withinMs: 60_000, what: "a list" },
    );
    assert.ok(
      sizes.every((size) => size > 1 && size <= LIST_MAX),
      String(sizes),
    );
    const [row] = await engine.database.query<{ active: number }>({
      text: `SELECT count(*)::integer AS active FROM event_tickets
             WHERE event_id = $1 AND cancelled_at IS NULL`,
      values: [eventId],
    });
    assert.equal(row?.active, 1, "that of the first sale");
  });

  it("S18: act only for whom their own token names, whatever list they travel in", async () => {
    const eventId = await startSeller(PurchasingService as AnySchema);
    const { broker } = await engine.startNode({ SERVICES: "auth" });
    await waitFor(() => broker.registry.actions.isAvailable(SUBMIT), { withinMs: 10_000 });
    const [mint, forge] = [engine.config.internalTokenSecret, randomUUID() + randomUUID()].map(
      (secret) => createInternalTokenMint(secret),
    );
    const [ada, eve] = [randomUUID(), randomUUID()];
    const valid = mint?.({ userId: ada, role: "customer" }) ?? "";
    const forged = forge?.({ userId: eve, role: "customer" }) ?? "";
    const command = (key: string, meta: object, more: object = {}) => {
      const params = { eventId, quantity: 1, key, ...more };
      return { action: "purchasing.buy", params, meta, requestId: `list-${key}` };
    };
    const commands = [
      command("valid", { token: valid }),
      command("none", {}),
      command("forged", { token: forged }),
      command("access", { token: engine.accessToken(eve) }),
      command("named", { token: valid }, { userId: eve }),
      command("many", { token: valid }, { quantity: 11 }),
    ];
    const codes: string[] = [];
    let part = await broker.call<ListPart, object>(SUBMIT, { commands });
    for (;;) {
      for (const [position, result] of part.results)
        codes[position] =
          "fault" in result
            ? String(result.fault.type)
            : result.answer.ok
              ? "sold"
              : result.answer.refusal.code;
      if (part.rest === undefined) break;
      const list = part.rest;
      for (const meta of [{}, { token: forged }])
        assert.equal(
          (await broker.call<{ ok: boolean }, object>(COLLECT, { list }, { meta })).ok,
          false,
        );
      part = await broker.call<ListPart, object>(COLLECT, { list }, { meta: { token: valid } });
    }
    assert.deepEqual(codes, [
      "sold",
      "UNAUTHENTICATED",
      "UNAUTHENTICATED",
      "UNAUTHENTICATED",
      "VALIDATION_ERROR",
      "VALIDATION_ERROR",
    ]);
    const buyers = [...(await ownersOf(eventId)).values()];
    assert.ok(buyers.includes(ada) && !buyers.includes(eve));
    const refusals = await waitFor(
      () => {
        const lines = readFileSync(engine.config.auditFile ?? "", "utf8")
          .trim()
          .split("\n");
        const found = lines
          .map((line) => JSON.parse(line) as Record<string, unknown>)
          .filter(({ requestId }) => String(requestId).startsWith("list-"));
        return found.length >= 3 && found;
      },
      { withinMs: 10_000, what: "the audit trail" },
    );
    assert.deepEqual(
      refusals.map(({ requestId, action, outcome, from }) => [requestId, action, outcome, from]),
      ["none", "forged", "access"].map((key) => [
        `list-${key}`,
        "purchasing.buy",
        "UNAUTHENTICATED",
        broker.nodeID,
      ]),
    );
    await assert.rejects(
      broker.call(SUBMIT, { commands: Array.from({ length: LIST_MAX + 1 }, () => commands[0]) }),
      { type: "VALIDATION_ERROR" },
    );
  });

  it("go alone to an owner of the last release", async () => {
    const eventId = await startSeller(ofLastRelease());
    const answers = await Promise.all(people().map((userId) => buy(eventId, userId)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
  });
});
