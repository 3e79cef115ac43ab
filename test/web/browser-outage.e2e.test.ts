// Browser test: a buyer sees and can show tickets while PostgreSQL is silent.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openTcpProxy, type TcpProxy } from "../../tools/chaos/network/tcp-proxy.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { registerVisitor, startBrowser, type TestBrowser } from "../support/http/browser.ts";
import { waitFor } from "../support/wait-for.ts";

describe("tickets in a browser while PostgreSQL is down", () => {
  let engine: Engine;
  let postgres: TcpProxy;
  let browser: TestBrowser;
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
  });
  after(async () => {
    postgres.freeze(false);
    await browser.close();
    await engine.close();
    await postgres.close();
  });

  it("are listed and shown with their code, as of a time", async () => {
    const eventId = await engine.addEvent({ capacity: 5 });
    const { page, close } = await browser.open();
    await page.goto(`/register?to=/events/${eventId}`);
    await registerVisitor(page);
    await page.getByRole("button", { name: "Buy 1 ticket" }).click();
    await page.getByRole("heading", { name: "You bought 1 ticket" }).waitFor();
    const asOf = page.getByText(/^As of .+\. We cannot show newer data right now\./);
    await page.getByRole("link", { name: "My tickets" }).first().click();
    await page.getByRole("heading", { name: "Concert" }).waitFor();
    assert.equal(await asOf.count(), 0);

    postgres.freeze(true);
    // Within the page: a reload would ask for a new session, which needs PostgreSQL.
    await page.getByRole("link", { name: "Past" }).click();
    await page.getByRole("link", { name: "Cancelled" }).click();
    await page.getByText("You have no cancelled tickets.").waitFor();
    await asOf.waitFor();
    await page.getByRole("link", { name: "Upcoming" }).click();
    await page.getByRole("heading", { name: "Concert" }).waitFor();
    await page.getByRole("link", { name: "Ticket 1" }).click();
    await page.getByRole("img", { name: /^QR code of this ticket/ }).waitFor();
    await asOf.waitFor();

    postgres.freeze(false);
    await asOf.waitFor({ state: "hidden", timeout: 60_000 });
    await close();
  });
});
