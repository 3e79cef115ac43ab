// In a real browser: an order whose answers are lost, refused or late is one order, also after a reload and offline; sessions survive too.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page, Route } from "playwright-core";
import {
  type TestBrowser,
  madeUpProblem,
  registerVisitor,
  startBrowser,
} from "../support/browser.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { waitFor } from "../support/wait-for.ts";

const ORDERS = "**/api/events/*/tickets";
/** What happens to an order on its way, one after the other; what comes after them passes. */
type Fate = "passes" | "answer lost" | "busy" | "unknown";

describe("an order", () => {
  let engine: Engine;
  let browser: TestBrowser;
  before(async () => {
    engine = await startEngine();
    browser = await startBrowser(engine.url);
  });
  after(async () => {
    await browser.close();
    await engine.close();
  });

  async function buyer(page: Page): Promise<string> {
    const eventId = await engine.addEvent({ capacity: 10 });
    await page.goto(`/register?to=/events/${eventId}`);
    await registerVisitor(page);
    await page.getByRole("button", { name: "Buy 1 ticket" }).waitFor();
    return eventId;
  }

  /** Answers the keys that orders came with. */
  async function onTheWay(page: Page, fates: Fate[]): Promise<string[]> {
    const keys: string[] = [];
    await page.route(ORDERS, async (route: Route) => {
      keys.push(route.request().headers()["idempotency-key"] ?? "");
      const fate = fates.shift() ?? "passes";
      if (fate === "busy") await route.fulfill(madeUpProblem("TRY_AGAIN"));
      else if (fate === "unknown") await route.fulfill(madeUpProblem("OUTCOME_UNKNOWN"));
      else if (fate === "answer lost") {
        await route.fetch();
        await route.abort("connectionreset");
      } else await route.continue();
    });
    return keys;
  }

  async function sold(eventId: string): Promise<number> {
    const text = "SELECT count(*)::integer AS count FROM event_tickets WHERE event_id = $1";
    const [row] = await engine.database.query<{ count: number }>({ text, values: [eventId] });
    return row?.count ?? 0;
  }

  it("goes on under one key until its answer is there, and says so in the meantime", async () => {
    const { page, close } = await browser.open();
    const eventId = await buyer(page);
    const keys = await onTheWay(page, ["busy", "answer lost", "unknown", "passes"]);
    await page.getByRole("button", { name: "Buy 1 ticket" }).click();
    await page.getByText(/Nothing has been bought for you yet/).waitFor();
    await page.getByText(/we send the same order again/).waitFor();
    await page.getByRole("heading", { name: "You bought 1 ticket" }).waitFor();
    assert.equal(keys.length, 4);
    assert.equal(new Set(keys).size, 1);
    assert.match(keys[0] ?? "", /^[0-9a-f-]{36}$/);
    assert.equal(await sold(eventId), 1, "it was sold when the answer was lost, and not again");
    await page.getByRole("button", { name: "Buy 1 more ticket" }).click();
    await waitFor(async () => (await sold(eventId)) === 2);
    assert.equal(new Set(keys).size, 2, "what one wants besides is another order");
    await close();
  });

  it("survives a reload while its answer is on the way", async () => {
    const { page, close } = await browser.open();
    const eventId = await buyer(page);
    const keys = await onTheWay(page, ["answer lost", "answer lost"]);
    await page.getByRole("button", { name: "Buy 1 ticket" }).click();
    await page.getByText(/we send the same order again/).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "You bought 1 ticket" }).waitFor();
    assert.equal(new Set(keys).size, 1);
    assert.equal(await sold(eventId), 1);
    await page.reload();
    await page.getByRole("button", { name: "Buy 1 ticket" }).waitFor();
    assert.equal(await sold(eventId), 1, "what is settled is not ordered again");
    await close();
  });

  it("waits while there is no network, and goes on when there is", async () => {
    const { page, close } = await browser.open();
    const eventId = await buyer(page);
    await page.context().setOffline(true);
    await page.getByText(/^You are offline. Your orders are kept/).waitFor();
    await page.getByRole("button", { name: "Buy 1 ticket" }).click();
    await page.getByText(/Your order waits and continues/).waitFor();
    assert.equal(await sold(eventId), 0);
    await page.context().setOffline(false);
    await page.getByRole("heading", { name: "You bought 1 ticket" }).waitFor();
    assert.equal(await sold(eventId), 1);
    await close();
  });

  it("of several tabs is one, and their sessions are renewed by one of them", async () => {
    const { page, close } = await browser.open();
    const eventId = await buyer(page);
    const tabs = [page, await page.context().newPage(), await page.context().newPage()];
    let refreshes = 0;
    await page.context().route("**/api/auth/refresh", (route) => {
      refreshes += 1;
      return route.continue();
    });
    await Promise.all(tabs.map((tab) => tab.goto(`/events/${eventId}`)));
    await Promise.all(
      tabs.map((tab) => tab.getByRole("button", { name: "Buy 1 ticket" }).waitFor()),
    );
    assert.equal(refreshes, 1, "the others heard of it");
    await page.getByRole("link", { name: "Account" }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await Promise.all(
      tabs.slice(1).map((tab) => tab.getByRole("button", { name: "Sign in to buy" }).waitFor()),
    );
    await close();
  });
});
