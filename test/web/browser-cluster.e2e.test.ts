// Browser test on a cluster: a node is killed around an order, and the buyer gets one ticket.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { type Cluster, startCluster } from "../../tools/cluster/cluster.ts";
import type { ClusterNode } from "../../tools/cluster/node-child.ts";
import { outsideEnvironment } from "../../tools/process/outside-environment.ts";
import { registerVisitor } from "../support/http/browser.ts";
import { type Pages, startPages } from "../support/http/pages.ts";
import { lockWaits } from "../support/lock-waits.ts";
import { waitFor } from "../support/wait-for.ts";

const CAPACITY = 10;

describe("an order whose node is killed", () => {
  let pages: Pages;
  let cluster: Cluster;
  before(async () => {
    pages = await startPages({ environment: { SERVICES: "api,auth,catalog,ledger" } });
    const { environment } = pages.engine;
    cluster = await startCluster({
      urls: environment,
      counts: { api: 0, auth: 0, catalog: 0, purchasing: 3, ledger: 0, notifier: 0 },
      environment: { ...outsideEnvironment(), ...environment, LOG_LEVEL: "warn" },
      output: () => undefined,
    });
  });
  after(async () => {
    await pages.close();
    await cluster.stop();
  });

  /** Creates an event and sells its first ticket. Returns the node of its worker. */
  async function onSale(): Promise<{ eventId: string; owner: ClusterNode }> {
    const { engine } = pages;
    const eventId = await engine.addEvent({ capacity: CAPACITY });
    const headers = {
      Authorization: `Bearer ${engine.accessToken()}`,
      "Content-Type": "application/json",
    };
    const path = `${engine.url}/api/events/${eventId}/tickets`;
    const buy = async (): Promise<boolean> =>
      (await fetch(path, { method: "POST", headers, body: "{}" })).status === 201;
    await waitFor(buy, { withinMs: 60_000, what: "The first ticket is sold" });
    const [worker] = await engine.database.query<{ node: string }>({
      text: "SELECT node FROM event_worker WHERE event_id = $1",
      values: [eventId],
    });
    return { eventId, owner: cluster.node(worker?.node ?? "") };
  }

  async function sendOrder(page: Page): Promise<void> {
    const sent = page.waitForRequest(
      (request) => request.method() === "POST" && request.url().endsWith("/tickets"),
    );
    await page.getByRole("button", { name: "Buy 1 ticket" }).click();
    await sent;
  }

  /** Expects one more ticket: in the page, in PostgreSQL, in the ledger and in the availability. */
  async function endsWithOneTicket(page: Page, eventId: string): Promise<void> {
    const bought = page.getByRole("heading", { name: "You’ve got 1 ticket" });
    const again = page.getByRole("button", { name: /^Try again for/ });
    await bought.or(again).waitFor({ timeout: 60_000 });
    // After its last retry the page asks the buyer whether to continue.
    if ((await again.count()) > 0) await again.click();
    await bought.waitFor();
    await page.getByRole("button", { name: "Show tickets" }).waitFor();
    await twoAreSold(eventId);
    await page.getByText(`${CAPACITY - 2} of ${CAPACITY} tickets left`).waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Buy 1 ticket" }).waitFor();
    await page.getByRole("link", { name: "My tickets" }).click();
    await page.locator(".stub").first().waitFor();
    assert.equal(await page.locator(".stub").count(), 1, "still one after a reload");
  }

  async function twoAreSold(eventId: string): Promise<void> {
    const count = async (text: string): Promise<number> =>
      (await pages.engine.database.query<{ count: number }>({ text, values: [eventId] }))[0]
        ?.count ?? -1;
    assert.equal(
      await count("SELECT count(*)::integer AS count FROM event_tickets WHERE event_id = $1"),
      2,
    );
    const left = "SELECT capacity AS count FROM event WHERE id = $1";
    await waitFor(async () => (await count(left)) === CAPACITY - 2, {
      withinMs: 60_000,
      what: "Both are booked",
    });
    assert.equal(
      await count("SELECT count(*)::integer AS count FROM capacity_ledger WHERE event_id = $1"),
      2,
    );
  }

  async function buyerAt(eventId: string) {
    const visitor = await pages.open();
    await visitor.page.goto(`/register?to=/events/${eventId}`);
    await registerVisitor(visitor.page);
    await visitor.page.getByRole("button", { name: "Buy 1 ticket" }).waitFor();
    return visitor;
  }

  it("before it receives the order, is one ticket", async () => {
    const { eventId, owner } = await onSale();
    const { page, close } = await buyerAt(eventId);
    // Requests to a frozen process are lost when it is killed.
    owner.freeze();
    await sendOrder(page);
    owner.kill("SIGKILL");
    assert.equal(await owner.ended(), "SIGKILL");
    await endsWithOneTicket(page, eventId);
    // Control: the check notices a further ticket.
    await page.goto(`/events/${eventId}`);
    await page.getByRole("button", { name: "Buy 1 ticket" }).click();
    await page.getByRole("heading", { name: "You’ve got 1 ticket" }).waitFor();
    await assert.rejects(twoAreSold(eventId), /3 !== 2/);
    await close();
  });

  it("after its commit and before its answer, is one ticket", async () => {
    const { eventId, owner } = await onSale();
    const { page, close } = await buyerAt(eventId);
    await pages.engine.database.transaction(async (holder) => {
      await holder.query({ text: "SET LOCAL idle_in_transaction_session_timeout = 0" });
      await holder.query({
        text: "SELECT FROM event_worker WHERE event_id = $1 FOR UPDATE",
        values: [eventId],
      });
      await sendOrder(page);
      await waitFor(async () => (await lockWaits(pages.engine.database, "%WITH fence%")) > 0, {
        withinMs: 60_000,
        what: "The commit waits",
      });
      owner.kill("SIGKILL");
      assert.equal(await owner.ended(), "SIGKILL");
    });
    // PostgreSQL commits although the node is gone.
    await endsWithOneTicket(page, eventId);
    await close();
  });

  it("is retried while all nodes are down, and is one ticket after a restart", async () => {
    const { eventId, owner } = await onSale();
    const { page, close } = await buyerAt(eventId);
    for (const node of cluster.of("purchasing")) node.kill("SIGKILL");
    await owner.ended();
    await sendOrder(page);
    await page
      .getByText(/You haven’t bought anything yet|we’re sending the same order again/)
      .waitFor();
    assert.equal(await page.getByRole("heading", { name: "You’ve got 1 ticket" }).count(), 0);
    await owner.start();
    await endsWithOneTicket(page, eventId);
    await close();
  });
});
