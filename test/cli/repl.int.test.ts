// npx boxoffice repl on a running engine: runs the lines of a pipe in order.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { ticketCode } from "../../services/purchasing/tickets/ticket-code.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { type Repl, replOf } from "../support/processes/repl.ts";
import { waitFor } from "../support/wait-for.ts";

describe("npx boxoffice repl", () => {
  let engine: Engine;
  let open: Repl;
  let repl: Repl["piped"];
  before(async () => {
    engine = await startEngine({ SERVICES: "auth,catalog,ledger,purchasing" });
    open = replOf(engine);
    repl = open.piped;
  });
  after(async () => {
    open.close();
    await engine.close();
  });

  it("answers as to an operator, in turn, and leaves with q", async () => {
    const { code, output, errors } = await repl([
      "call ledger.status",
      "call ledger.reconcile",
      "call purchasing.workers",
      "nodes",
      "q",
    ]);
    assert.equal(errors, "");
    assert.equal(code, 0);
    assert.match(
      output,
      /Call 'ledger\.status'[^]*pendingRows: 0[^]*Call 'ledger\.reconcile'[^]*events: 0, [^]*Call 'purchasing\.workers'[^]*items: \[\]/,
    );
    assert.match(output, /║ node-1-[^]*║ repl-/);
    assert.doesNotMatch(
      output,
      /ok: false|eyJ|undefined/,
      "nothing is refused, no token is shown, and nothing but answers",
    );
  });

  it("knows operators' commands, and asks before what cannot be undone", async () => {
    const eventId = await engine.addEvent({ capacity: 7 });
    const { code, output, errors } = await repl([
      "help",
      "search",
      `event ${eventId}`,
      "workers",
      `reconcile ${eventId}`,
      "reconcile somewhere",
      "deadletters",
      "sales --live 1",
      "drain nowhere",
      "user unknown@example.com",
      "flush",
      "q",
    ]);
    assert.deepEqual([code, errors], [0, ""]);
    for (const words of [
      /drain NODE {2,}a node hands over/,
      new RegExp(`${eventId} {2}\\d{4}-\\d\\d-\\d\\d +7 left {2}Concert, Berlin`),
      /Concert, Berlin, .*: 7 of 7 left\nIt has no worker: no purchase was sent to it lately\.\n1 compared: nothing disagrees\./,
      /somewhere is no event's id/,
      /^0 wait\.$/m,
      /^nothing sold$/m,
      /There is no node nowhere; there are node-1-/,
      /No account has the e-mail address unknown@example\.com\./,
      /Make every page of searches stale\?.* The input is no terminal: start with --yes to confirm\./,
    ])
      assert.match(output, words);
    assert.doesNotMatch(output, /Done\. Gateways/);
  });

  it("shows what a ticket's code admits to", async () => {
    const [ticketId, cancelled, eventId] = [randomUUID(), randomUUID(), await engine.addEvent()];
    const rows = `
      INSERT INTO event_tickets (id, event_id, user_id, event_date, transaction_id, ordinal, purchased_at, cancelled_at)
      SELECT ticket.id, event.id, $3::uuid, event.date, decode(repeat('00', 64), 'hex'), ticket.ordinal, now(), ticket.cancelled_at
      FROM event, (VALUES ($1::uuid, 1, NULL::timestamptz), ($2::uuid, 2, now())) AS ticket (id, ordinal, cancelled_at) WHERE event.id = $4::uuid`;
    await engine.database.query({
      text: rows,
      values: [ticketId, cancelled, randomUUID(), eventId],
    });
    const codes = [ticketId, cancelled].map((id) =>
      ticketCode(engine.config.transactionSecret, id),
    );
    const forged = ticketCode("another secret of thirty-two letters", ticketId);
    const { code, output } = await repl(
      [...codes, forged, ""].map((text) => `ticket ${text}`).concat("q"),
    );
    assert.equal(code, 0);
    assert.match(
      output,
      new RegExp(`admits one {2}Concert, Berlin, \\d{4}-\\d\\d-\\d\\d {2}ticket ${ticketId}$`, "m"),
    );
    assert.match(
      output,
      new RegExp(`^DOES NOT ADMIT: cancelled at \\S+Z {2}Concert, .* ${cancelled}$`, "m"),
    );
    assert.equal(output.match(/The engine refuses: TICKET_NOT_FOUND/g)?.length, 2, output);
  });

  it("drains a node when told so with --yes", async () => {
    const node = await engine.startNode({ SERVICES: "purchasing" });
    const { output } = await repl([`drain ${node.broker.nodeID}`, "q"], {}, ["--yes"]);
    assert.match(output, /finishes what it has and ends/);
    await waitFor(() => !(node.broker as unknown as { started: boolean }).started, {
      withinMs: 15_000,
      what: "The node has stopped",
    });
  });

  it("loads a service from its file, which then answers on the bus", async () => {
    const { broker } = await engine.startNode({ SERVICES: "catalog" });
    const typist = await open.typist();
    typist.type("load services/ledger/ledger.service.ts\r");
    await typist.reads(/>> Loaded successfully!/);
    const services = () => broker.registry.getServiceList({ onlyAvailable: true });
    const loaded = await waitFor(
      () => services().find(({ name, nodeID }) => name === "ledger" && nodeID?.startsWith("repl-")),
      { withinMs: 60_000, what: "The other nodes see the loaded service" },
    );
    typist.type(`dcall ${loaded.nodeID ?? ""} ledger.status\r`);
    await typist.reads(/pendingRows: 0/);
    assert.equal(await typist.leave(), 0);
  });

  it("answers the last line of a pipe that ends without q", async () => {
    const { code, output } = await repl(["call ledger.status"]);
    assert.equal(code, 0);
    assert.match(output, /pendingRows: 0/);
  });

  it("says what to do where no engine runs", async () => {
    const { code, errors } = await repl([], { DATA_DIR: `${engine.config.dataDir}/elsewhere` });
    assert.equal(code, 1);
    assert.match(errors, /^No engine runs with its data in .*\. Run npx boxoffice start first/);
  });
});
