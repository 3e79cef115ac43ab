// In a real browser at a cluster of processes: the node that is to sell is killed around the order, and the page comes to one ticket all the same.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { type Database, openDatabase } from "../../lib/database/pool.ts";
import { openWorld, type World } from "../../tools/chaos/test-bed.ts";
import type { ClusterNode } from "../../tools/cluster/node-child.ts";
import { type TestBrowser, registerVisitor, startBrowser } from "../support/browser.ts";
import { lockWaits } from "../support/lock-waits.ts";
import { waitFor } from "../support/wait-for.ts";

const CAPACITY = 10;

describe("an order whose node is killed", () => {
  let world: World;
  let browser: TestBrowser;
  /** May hold a lock for longer than who sells. */
  let patient: Database;
  before(async () => {
    world = await openWorld({
      counts: { api: 1, purchasing: 3, ledger: 1 },
      throwaway: true,
      report: () => undefined,
    });
    patient = openDatabase(world.urls.DATABASE_URL, "long");
    browser = await startBrowser(world.cluster.of("api")[0]?.url ?? "");
  });
  after(async () => {
    await browser.close();
    await patient.close();
    await world.close();
  });

  /** An event of which somebody has bought a ticket, so that it has a worker, and the node that this is on. */
  async function onSale(): Promise<{ eventId: string; owner: ClusterNode }> {
    const eventId = await world.addEvent(CAPACITY);
    const headers = {
      Authorization: `Bearer ${world.accessToken(randomUUID())}`,
      "Content-Type": "application/json",
    };
    const path = `${world.cluster.of("api")[0]?.url ?? ""}/api/events/${eventId}/tickets`;
    const buy = async (): Promise<boolean> =>
      (await fetch(path, { method: "POST", headers, body: "{}" })).status === 201;
    await waitFor(buy, { withinMs: 10_000, what: "The first ticket is sold" });
    const [worker] = await world.database.query<{ node: string }>({
      text: "SELECT node FROM event_worker WHERE event_id = $1",
      values: [eventId],
    });
    return { eventId, owner: world.cluster.node(worker?.node ?? "") };
  }

  async function orderIsOnTheWay(page: Page): Promise<void> {
    const sent = page.waitForRequest(
      (request) => request.method() === "POST" && request.url().endsWith("/tickets"),
    );
    await page.getByRole("button", { name: "Buy 1 ticket" }).click();
    await sent;
  }

  /** One ticket more than the first one's: in the page, in PostgreSQL, in the ledger and in what is left. */
  async function endsWithOneTicket(page: Page, eventId: string): Promise<void> {
    const bought = page.getByRole("heading", { name: "You bought 1 ticket" });
    const again = page.getByRole("button", { name: /^Try again for/ });
    await bought.or(again).waitFor({ timeout: 60_000 });
    // After half a minute of trying the page asks its reader whether to go on.
    if ((await again.count()) > 0) await again.click();
    await bought.waitFor();
    assert.equal(await page.locator(".notice-good a[href^='/tickets/']").count(), 1);
    await twoAreSold(eventId);
    await page.getByText(`${CAPACITY - 2} of ${CAPACITY} tickets left`).waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Buy 1 ticket" }).waitFor();
    await page.getByRole("link", { name: "My tickets" }).click();
    await page.locator(".stub").first().waitFor();
    assert.equal(await page.locator(".stub").count(), 1, "and still one after a reload");
  }

  async function twoAreSold(eventId: string): Promise<void> {
    const count = async (text: string): Promise<number> =>
      (await world.database.query<{ count: number }>({ text, values: [eventId] }))[0]?.count ?? -1;
    assert.equal(
      await count("SELECT count(*)::integer AS count FROM event_tickets WHERE event_id = $1"),
      2,
    );
    const left = "SELECT capacity AS count FROM event WHERE id = $1";
    await waitFor(async () => (await count(left)) === CAPACITY - 2, {
      withinMs: 30_000,
      what: "Both are booked",
    });
    assert.equal(
      await count("SELECT count(*)::integer AS count FROM capacity_ledger WHERE event_id = $1"),
      2,
    );
  }

  async function buyerAt(eventId: string) {
    const visitor = await browser.open();
    await visitor.page.goto(`/register?to=/events/${eventId}`);
    await registerVisitor(visitor.page);
    await visitor.page.getByRole("button", { name: "Buy 1 ticket" }).waitFor();
    return visitor;
  }

  it("as it takes the order on, is one ticket", async () => {
    const { eventId, owner } = await onSale();
    const { page, close } = await buyerAt(eventId);
    // What a frozen process has been sent is lost with it.
    owner.freeze();
    await orderIsOnTheWay(page);
    owner.kill("SIGKILL");
    assert.equal(await owner.ended(), "SIGKILL");
    await endsWithOneTicket(page, eventId);
    // A ticket more than that would be seen.
    await page.goto(`/events/${eventId}`);
    await page.getByRole("button", { name: "Buy 1 ticket" }).click();
    await page.getByRole("heading", { name: "You bought 1 ticket" }).waitFor();
    await assert.rejects(twoAreSold(eventId), /3 !== 2/);
    await close();
  });

  it("after its commit and before its answer, is that ticket and no other", async () => {
    const { eventId, owner } = await onSale();
    const { page, close } = await buyerAt(eventId);
    await patient.transaction(async (holder) => {
      await holder.query({
        text: "SELECT FROM event_worker WHERE event_id = $1 FOR UPDATE",
        values: [eventId],
      });
      await orderIsOnTheWay(page);
      await waitFor(async () => (await lockWaits(world.database, "%WITH fence%")) > 0, {
        withinMs: 5_000,
        what: "The commit waits",
      });
      owner.kill("SIGKILL");
      assert.equal(await owner.ended(), "SIGKILL");
    });
    // Nobody is left to hear of it, and PostgreSQL commits.
    await endsWithOneTicket(page, eventId);
    await close();
  });

  it("is told that nothing is bought yet while no node is left, and gets its ticket from one that comes back", async () => {
    const { eventId, owner } = await onSale();
    const { page, close } = await buyerAt(eventId);
    for (const node of world.cluster.of("purchasing")) node.kill("SIGKILL");
    await owner.ended();
    await orderIsOnTheWay(page);
    await page
      .getByText(/Nothing has been bought for you yet|we send the same order again/)
      .waitFor();
    assert.equal(await page.getByRole("heading", { name: "You bought 1 ticket" }).count(), 0);
    await owner.start();
    await endsWithOneTicket(page, eventId);
    await close();
  });
});
