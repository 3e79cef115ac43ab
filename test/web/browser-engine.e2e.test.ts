// Browser test of the operators' page: tickets, services, and plots that stay.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { registerVisitor } from "../support/http/browser.ts";
import { type Pages, startPages } from "../support/http/pages.ts";
import { waitFor } from "../support/wait-for.ts";

describe("the operators' page", () => {
  let pages: Pages;
  before(async () => {
    pages = await startPages();
  });
  after(() => pages.close());

  async function operator(page: Page): Promise<void> {
    await page.goto("/register");
    const email = await registerVisitor(page);
    await pages.engine.database.query({
      text: "UPDATE user_account SET role = 'operator' WHERE email = $1",
      values: [email],
    });
    await page.goto("/engine");
    await page.locator(".gauge").first().waitFor();
  }

  it("counts tickets, and names all services", async () => {
    const eventId = await pages.engine.addEvent({ capacity: 50 });
    const { page, close } = await pages.open();
    await operator(page);
    for (let orders = 0; orders < 2; orders += 1) {
      const bought = await fetch(`${pages.engine.url}/api/events/${eventId}/tickets`, {
        method: "POST",
        headers: {
          Authorization: `Bearer ${pages.engine.accessToken()}`,
          "Content-Type": "application/json",
        },
        body: JSON.stringify({ quantity: 4 }),
      });
      assert.equal(bought.status, 201);
    }
    const workers = page.getByRole("region", { name: /^Workers/ });
    const row = workers.getByRole("row", { name: /Concert/ });
    await row.getByRole("cell", { name: "8", exact: true }).waitFor();
    await row.getByRole("cell", { name: "42", exact: true }).waitFor();
    const services = page.getByRole("region", { name: "Nodes" });
    await services.getByText("api, auth, catalog, purchasing, ledger").waitFor();
    await close();
  });

  it("keeps its plots while it is left", async () => {
    const { page, close } = await pages.open();
    await operator(page);
    const plot = page.getByRole("img", { name: /^Purchases waiting/ });
    const samples = async (): Promise<number> =>
      Number(/last (\d+) samples/.exec((await plot.getAttribute("aria-label")) ?? "")?.[1]);
    await waitFor(async () => (await samples()) >= 3);
    await page.getByRole("link", { name: "My tickets" }).click();
    await page.getByRole("heading", { name: "My tickets" }).waitFor();
    await page.getByRole("link", { name: "Engine" }).click();
    await plot.waitFor();
    assert.ok((await samples()) >= 3, `${await samples()} samples after the return`);
    await close();
  });
});
