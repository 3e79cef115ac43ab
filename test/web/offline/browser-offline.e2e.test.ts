// Browser test without network: the kept tickets and their codes, and when they are removed.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { qrPath } from "../../../lib/qr/qr-path.ts";
import { type BrowserWindow, registerVisitor } from "../../support/http/browser.ts";
import { keptTickets, type KeptTicket } from "../../support/http/kept-tickets.ts";
import { type Pages, startPages } from "../../support/http/pages.ts";
import { waitFor } from "../../support/wait-for.ts";

/** Whether the service worker has what the page shows its text in. */
const FONTS_KEPT = `Promise.all(
  ["figtree", "figtree-ext"].map((name) => caches.match("/fonts/" + name + "-5.3.0.woff2")),
).then((found) => found.map((response) => response?.ok === true))`;

describe("without network", () => {
  let pages: Pages;
  before(async () => {
    pages = await startPages();
  });
  after(() => pages.close());

  /** A visitor who has bought two tickets and has opened none of them. */
  async function buyer(): Promise<BrowserWindow & { tickets: KeptTicket[]; email: string }> {
    const window = await pages.open();
    const { page } = window;
    const eventId = await pages.engine.addEvent({ capacity: 10 });
    await page.goto(`/register?to=/events/${eventId}?quantity=2`);
    const email = await registerVisitor(page);
    const listed = page.waitForResponse(async (response) => {
      if (!response.url().includes("/api/tickets?")) return false;
      return ((await response.json()) as { items: KeptTicket[] }).items.length === 2;
    });
    await page.getByRole("button", { name: "Buy 2 tickets" }).click();
    const { items } = (await (await listed).json()) as { items: KeptTicket[] };
    await page.evaluate("navigator.serviceWorker.ready");
    await waitFor(async () => (await keptTickets(page))?.length === 2);
    return { ...window, tickets: items, email };
  }

  async function isOffline(page: Page): Promise<void> {
    await page.context().setOffline(true);
    await waitFor(() => page.evaluate<boolean>("fetch('/healthz').then(() => false, () => true)"));
  }

  it("shows the tickets with their codes after a reload, also those that were never opened", async () => {
    const { page, tickets, close } = await buyer();
    await isOffline(page);
    await page.goto("/tickets");
    await page.getByText(/^As of .+\. We can’t load anything newer right now\./).waitFor();
    await page.getByRole("link", { name: "Ticket 2" }).click();
    await page.getByRole("img", { name: /^QR code/ }).waitFor();
    await page.reload();
    const code = page.getByRole("img", { name: /^QR code/ }).locator("path");
    await code.waitFor();
    assert.equal(await code.getAttribute("d"), qrPath(tickets[1]?.code ?? "").path);
    await page.getByText(/^As of .+\. We can’t load anything newer right now\./).waitFor();
    await page.getByText("Ada Lovelace").waitFor();
    await page.getByText(/\(.*Time\)/).waitFor();
    assert.deepEqual(await page.evaluate(FONTS_KEPT), [true, true]);
    await page.context().setOffline(false);
    await page.getByText(/^As of /).waitFor({ state: "hidden" });
    await close();
  });

  it("shows nothing of a visitor who has signed out", async () => {
    const { page, tickets, close } = await buyer();
    await page.getByRole("link", { name: "Account" }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.getByText("You’ve signed out.").waitFor();
    await isGone(page, tickets);
    await close();
  });

  it("shows nothing once the session was ended elsewhere, and the device has learnt of it", async () => {
    const { page, tickets, email, close } = await buyer();
    await pages.engine.database.query({
      text: `UPDATE user_session SET revoked_at = now()
        WHERE user_id = (SELECT id FROM user_account WHERE email = $1)`,
      values: [email],
    });
    await page.reload();
    await page.getByText(/^You’ve been signed out. Your session was ended/).waitFor();
    await isGone(page, tickets);
    await close();
  });

  it("shows nothing of the first person after the sign-in of a second", async () => {
    const { page, tickets, close } = await buyer();
    // The first one's sign-in cannot be confirmed, so that a second one may sign in.
    const refreshes = "**/api/auth/refresh";
    await page.route(refreshes, (route) => route.abort("connectionreset"));
    await page.goto("/register");
    await registerVisitor(page, { name: "Grace Hopper" });
    await page.waitForURL((url) => url.pathname === "/");
    await page.unroute(refreshes);
    await waitFor(async () => (await keptTickets(page))?.length === 0);
    await page.context().setOffline(true);
    await page.goto(`/tickets/${tickets[0]?.id}`);
    await page.getByRole("heading", { name: "Ticket", exact: true }).waitFor({ state: "attached" });
    assert.equal(await page.getByRole("img", { name: /^QR code/ }).count(), 0);
    await page.goto("/tickets");
    await page.getByText("You have no upcoming tickets.").waitFor();
    await close();
  });

  /** Nothing is kept, and a page of a ticket leads to the sign-in. */
  async function isGone(page: Page, tickets: KeptTicket[]): Promise<void> {
    await waitFor(async () => (await keptTickets(page)) === undefined);
    await isOffline(page);
    await page.goto(`/tickets/${tickets[0]?.id}`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    assert.equal(await page.getByRole("img", { name: /^QR code/ }).count(), 0);
  }
});
