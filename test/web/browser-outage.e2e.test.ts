// Browser test: a buyer sees and can show tickets while PostgreSQL is silent.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { Response } from "playwright-core";
import { openRedis, type RedisClient } from "../../lib/redis/client.ts";
import { openTcpProxy, type TcpProxy } from "../../tools/chaos/network/tcp-proxy.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { registerVisitor, startBrowser, type TestBrowser } from "../support/http/browser.ts";
import { keptTickets } from "../support/http/kept-tickets.ts";
import { COPY_MS, listIsCopied } from "../support/fixtures/copies-shop.ts";
import { waitFor } from "../support/wait-for.ts";

/** From the request to the end of the answer, in ms. */
async function timeOf(response: Response): Promise<number> {
  await response.finished();
  return response.request().timing().responseEnd;
}

describe("tickets in a browser while PostgreSQL is down", () => {
  let engine: Engine;
  let postgres: TcpProxy;
  let browser: TestBrowser;
  let copies: RedisClient;
  before(async () => {
    engine = await startEngine({ SERVICES: "ledger" });
    postgres = await openTcpProxy(engine.config.databaseUrl ?? "");
    const node = await engine.startNode({
      SERVICES: "api,auth,catalog,purchasing",
      DATABASE_URL: postgres.url,
    });
    const url = node.url ?? assert.fail("a gateway");
    await waitFor(async () => (await fetch(`${url}/readyz`)).status === 200, {
      withinMs: 30_000,
    });
    browser = await startBrowser(url);
    copies = openRedis(engine.config.redisUrl ?? "", () => undefined);
  });
  afterEach(() => postgres.freeze(false));
  after(async () => {
    copies.disconnect();
    await browser.close();
    await engine.close();
    await postgres.close();
  });

  /** Waits for the copy of the buyer's list, which is read in the background. */
  const isListed = async (eventId: string): Promise<void> => {
    const [ticket] = await engine.database.query<{ userId: string }>({
      text: `SELECT user_id AS "userId" FROM event_tickets WHERE event_id = $1`,
      values: [eventId],
    });
    await listIsCopied(copies, ticket?.userId ?? assert.fail("a ticket"));
  };

  /** Someone new, with one ticket, at the page of their tickets. */
  const visitorWithTicket = async () => {
    const eventId = await engine.addEvent({ capacity: 5 });
    const { page, close } = await browser.open();
    await page.goto(`/register?to=/events/${eventId}`);
    await registerVisitor(page);
    await page.getByRole("button", { name: "Buy 1 ticket" }).click();
    await page.getByRole("heading", { name: "You’ve got 1 ticket" }).waitFor();
    await page.getByRole("link", { name: "My tickets" }).first().click();
    await page.getByRole("heading", { name: "My tickets" }).waitFor();
    await page.getByRole("heading", { name: "Concert" }).waitFor();
    return { eventId, page, close };
  };

  it("are listed and shown with their code, as of a time", async () => {
    const { eventId, page, close } = await visitorWithTicket();
    const asOf = page.getByText(/^As of .+\. We can’t load anything newer right now\./);
    assert.equal(await asOf.count(), 0);
    await isListed(eventId);

    const copied = new Map<string, Promise<number>>();
    page.on("response", (response) => {
      if (response.headers()["x-data-as-of"] === undefined) return;
      const path = new URL(response.url()).pathname.replace(/[0-9a-f-]{36}/, "{id}");
      copied.set(path, timeOf(response));
    });
    postgres.freeze(true);
    await page.getByRole("link", { name: "Past" }).click();
    await page.getByRole("link", { name: "Cancelled" }).click();
    await page.getByText("You have no cancelled tickets.").waitFor();
    await asOf.waitFor();
    await page.getByRole("link", { name: "Upcoming" }).click();
    await page.getByRole("heading", { name: "Concert" }).waitFor();
    await page.getByRole("link", { name: "Ticket 1" }).click();
    await page.getByRole("img", { name: /^QR code of this ticket/ }).waitFor();
    await asOf.waitFor();
    assert.deepEqual([...copied.keys()].sort(), ["/api/tickets", "/api/tickets/{id}"]);
    for (const ms of await Promise.all(copied.values())) assert.ok(ms < COPY_MS, `${ms} ms`);

    postgres.freeze(false);
    await asOf.waitFor({ state: "hidden" });
    await close();
  });

  it("are shown after a reload as well", async () => {
    const { eventId, page, close } = await visitorWithTicket();
    await isListed(eventId);

    postgres.freeze(true);
    await page.reload();
    await page.getByRole("heading", { name: "Concert" }).waitFor();
    await page.getByRole("link", { name: "Ticket 1" }).click();
    await page.getByRole("img", { name: /^QR code of this ticket/ }).waitFor();
    await page.reload();
    await page.getByRole("img", { name: /^QR code of this ticket/ }).waitFor();
    postgres.freeze(false);
    await close();
  });

  it("are shown from the device after a reload without the copy of the session", async () => {
    const { page, close } = await visitorWithTicket();
    await waitFor(async () => (await keptTickets(page))?.length === 1);
    postgres.freeze(true);
    await copies.flushdb();
    await page.reload();
    await page.getByText(/^As of .+\. We can’t load anything newer right now\./).waitFor();
    await page.getByRole("heading", { name: "Concert" }).waitFor();
    postgres.freeze(false);
    await page.getByText(/^As of /).waitFor({ state: "hidden" });
    await close();
  });
});
