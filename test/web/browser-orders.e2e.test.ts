// Browser test: an order with lost or late answers is one order, also after a reload or offline.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Page, Route } from "playwright-core";
import type { EventStatus } from "../../domain/event-record.ts";
import { eventId as idOf } from "../../lib/ids.ts";
import { createInternalTokenMint } from "../../lib/auth/jwt.ts";
import { madeUpProblem, registerVisitor } from "../support/http/browser.ts";
import { type Pages, startPages } from "../support/http/pages.ts";
import { waitFor } from "../support/wait-for.ts";
import { galaIn } from "../support/fixtures/gala.ts";

const ORDERS = "**/api/events/*/tickets";
/** What happens to each request of an order. Later ones pass. */
type Interference = "passes" | "answer lost" | "busy" | "unknown";

describe("an order", () => {
  let pages: Pages;
  before(async () => {
    pages = await startPages();
  });
  after(() => pages.close());

  async function buyer(page: Page): Promise<string> {
    const eventId = await pages.engine.addEvent({ capacity: 10 });
    await page.goto(`/register?to=/events/${eventId}`);
    await registerVisitor(page);
    await page.getByRole("button", { name: "Buy 1 ticket" }).waitFor();
    return eventId;
  }

  /** Returns the idempotency keys of the requests. */
  async function interfere(page: Page, interferences: Interference[]): Promise<string[]> {
    const keys: string[] = [];
    await page.route(ORDERS, async (route: Route) => {
      keys.push(route.request().headers()["idempotency-key"] ?? "");
      const interference = interferences.shift() ?? "passes";
      if (interference === "busy") await route.fulfill(madeUpProblem("TRY_AGAIN"));
      else if (interference === "unknown") await route.fulfill(madeUpProblem("OUTCOME_UNKNOWN"));
      else if (interference === "answer lost") {
        await route.fetch();
        await route.abort("connectionreset");
      } else await route.continue();
    });
    return keys;
  }

  async function sold(eventId: string): Promise<number> {
    const text = "SELECT count(*)::integer AS count FROM event_tickets WHERE event_id = $1";
    const [row] = await pages.engine.database.query<{ count: number }>({ text, values: [eventId] });
    return row?.count ?? 0;
  }

  it("is retried under one key until it is answered, and says so", async () => {
    const { page, close } = await pages.open();
    const eventId = await buyer(page);
    const keys = await interfere(page, ["busy", "answer lost", "unknown", "passes"]);
    await page.getByRole("button", { name: "Buy 1 ticket" }).click();
    await page.getByText(/You haven’t bought anything yet/).waitFor();
    await page.getByText(/we’re sending the same order again/).waitFor();
    await page.getByRole("heading", { name: "You’ve got 1 ticket" }).waitFor();
    assert.equal(keys.length, 4);
    assert.equal(new Set(keys).size, 1);
    assert.match(keys[0] ?? "", /^[0-9a-f-]{36}$/);
    assert.equal(await sold(eventId), 1, "the order whose answer was lost is sold once");
    await page.getByRole("button", { name: "Buy more" }).click();
    await page.getByRole("button", { name: "Buy 1 more ticket" }).click();
    await waitFor(async () => (await sold(eventId)) === 2);
    assert.equal(new Set(keys).size, 2, "a further purchase is another order");
    await close();
  });

  it("survives a reload while it is in flight", async () => {
    const { page, close } = await pages.open();
    const eventId = await buyer(page);
    const keys = await interfere(page, ["answer lost", "answer lost"]);
    await page.getByRole("button", { name: "Buy 1 ticket" }).click();
    await page.getByText(/we’re sending the same order again/).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "You’ve got 1 ticket" }).waitFor();
    assert.equal(new Set(keys).size, 1);
    assert.equal(await sold(eventId), 1);
    await page.reload();
    await page.getByRole("button", { name: "Buy 1 ticket" }).waitFor();
    assert.equal(await sold(eventId), 1, "a settled order is not sent again");
    await close();
  });

  it("waits while the browser is offline, and continues online", async () => {
    const { page, close } = await pages.open();
    const eventId = await buyer(page);
    await page.context().setOffline(true);
    await page.getByText(/^You’re offline. Your orders are saved/).waitFor();
    await page.getByRole("button", { name: "Buy 1 ticket" }).click();
    await page.getByText(/Your order is waiting and will continue/).waitFor();
    assert.equal(await sold(eventId), 0);
    await page.context().setOffline(false);
    await page.getByRole("heading", { name: "You’ve got 1 ticket" }).waitFor();
    assert.equal(await sold(eventId), 1);
    await close();
  });

  it("of several tabs: one tab refreshes the session for all", async () => {
    const { page, close } = await pages.open();
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
    assert.equal(refreshes, 1, "the others received its session");
    await page.getByRole("link", { name: "Account" }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.getByText("You’ve signed out.").waitFor();
    await Promise.all(
      tabs.slice(1).map((tab) => tab.getByRole("button", { name: "Sign in to buy" }).waitFor()),
    );
    await close();
  });

  it("is refused once its event is cancelled; card, page and ticket say so", async () => {
    const { broker } = await pages.engine.startNode({ SERVICES: "catalog" });
    const token = createInternalTokenMint(pages.engine.config.internalTokenSecret)({
      userId: randomUUID(),
      role: "operator",
    });
    const gala = galaIn(2096, { name: "Gala Zauberflöte" });
    const bring = (status: EventStatus) =>
      broker.call("catalog.import", { records: [{ ...gala, status }] }, { meta: { token } });
    await bring("scheduled");
    const { page, close } = await pages.open();
    await page.goto(`/register?to=/events/${idOf(gala)}`);
    await registerVisitor(page);
    await page.getByRole("button", { name: "Buy 1 ticket" }).click();
    await page.getByRole("heading", { name: "You’ve got 1 ticket" }).waitFor();
    // The stream would tell this page of it: here the order finds out.
    await page.route("**/availability", (route) => route.abort("connectionreset"));
    await page.reload();
    await page.getByRole("button", { name: "Buy 1 ticket", disabled: false }).waitFor();
    await bring("cancelled");
    await page.getByRole("button", { name: "Buy 1 ticket" }).click();
    await page.getByText("The event has been cancelled. You haven’t bought anything.").waitFor();
    await page.getByText("This event has been cancelled. Tickets are no longer on sale.").waitFor();
    assert.equal(await page.getByRole("button", { name: /buy/i }).count(), 0);
    await page.goto("/?name=zauberflöte");
    await page.locator(".card").getByText("Event cancelled").waitFor();
    await page.goto("/tickets");
    await page.getByText("Event cancelled").waitFor();
    await page.getByRole("link", { name: "Ticket 1" }).click();
    await page.getByText("Event cancelled").waitFor();
    await bring("postponed");
    // A page of the gateway may be two seconds old.
    await waitFor(
      async () => {
        await page.goto(`/events/${idOf(gala)}`);
        await page.locator(".event .left-none").waitFor();
        return page.getByText("Event postponed").isVisible();
      },
      { withinMs: 30_000 },
    );
    assert.equal(await sold(idOf(gala)), 1);
    await close();
  });
});
