// Browser test of the buyer's journey: find, register, buy, QR code, cancel. By mouse and keyboard.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { FACT_TIMEOUT_MS, madeUpProblem, registerVisitor } from "../support/http/browser.ts";
import { type Pages, startPages } from "../support/http/pages.ts";
import { waitFor } from "../support/wait-for.ts";

/** Of a whole visit. It takes under a minute even if each takes two seconds. */
const ANSWERS_MAX = 30;

describe("a buyer at the pages", () => {
  let pages: Pages;
  before(async () => {
    pages = await startPages({ demoEvents: 200 });
  });
  after(() => pages.close());

  it("finds an event, registers, buys, shows the QR code, cancels; no console output", async () => {
    const eventId = await pages.engine.addEvent({ capacity: 3 });
    const { page, complaints, answers, close } = await pages.open();
    await page.goto("/");
    const search = page.getByRole("combobox", { name: "Name or city" });
    await search.fill("berl");
    await page.getByRole("option", { name: /^Berlin/ }).click();
    await page.waitForURL(/\?location=Berlin$/);
    await search.fill("conc");
    await page.waitForURL(/\?name=conc&location=Berlin$/);
    await page.getByRole("heading", { level: 1 }).click();
    await page.locator(`a[href="/events/${eventId}"]`).click();
    await page.getByText("3 of 3 tickets left").waitFor();
    await page.getByRole("button", { name: "More tickets" }).click();
    await page.getByRole("button", { name: "Sign in to buy" }).click();
    await page.getByRole("link", { name: "Create an account" }).click();
    await registerVisitor(page);
    // Back on the event, with the chosen quantity.
    await page.waitForURL(new RegExp(`/events/${eventId}\\?quantity=2$`));
    await page.getByRole("button", { name: "Buy 2 tickets" }).dblclick();
    const bought = page.getByRole("heading", { name: "You’ve got 2 tickets" });
    await bought.waitFor();
    const { y = -1, height = 0 } = (await bought.boundingBox()) ?? {};
    assert.ok(y >= 0 && y + height <= 720, "the answer is in view");
    await page.getByText("1 of 3 tickets left").waitFor();

    await page.getByRole("button", { name: "Show tickets" }).click();
    await page.getByRole("img", { name: /^QR code/ }).waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Add to calendar" }).click();
    assert.equal((await download).suggestedFilename(), "Concert.ics");
    const calendar = await readFile(await (await download).path(), "utf8");
    assert.match(calendar, /SUMMARY:Concert\r\n[^]*DESCRIPTION:You’ve got 2 tickets\r\n/);
    await page.getByRole("button", { name: "Cancel ticket…" }).click();
    await page.getByRole("button", { name: "Keep my ticket" }).click();
    await page.getByRole("button", { name: "Cancel ticket…" }).click();
    await page.getByRole("button", { name: "Yes, cancel it" }).click();
    await page
      .getByRole("status")
      .getByText(/This ticket is no longer valid/)
      .waitFor();
    assert.equal(await page.getByRole("img", { name: /^QR code/ }).count(), 0);
    await page.getByRole("link", { name: "All my tickets" }).click();
    await page.getByRole("link", { name: "Ticket 1" }).waitFor();
    assert.equal(await page.getByRole("link", { name: "Ticket 2" }).count(), 0);

    assert.deepEqual(complaints, []);
    const { count } = await answers();
    assert.ok(count >= 12, `only ${count} answers of the API were checked`);
    assert.ok(count <= ANSWERS_MAX, `${count} answers of the API for one purchase`);
    await close();
  });

  it("fails on an answer that the OpenAPI document does not allow, and on a 503 that stays", async () => {
    const eventId = await pages.engine.addEvent();
    const { page, complaints, answers, close } = await pages.open();
    await page.route("**/api/events/*/availability", (route) =>
      route.fulfill(madeUpProblem("TRY_AGAIN")),
    );
    await page.route(`**/api/events/${eventId}`, async (route) => {
      const response = await route.fetch();
      const event = (await response.json()) as object;
      await route.fulfill({ response, json: { ...event, totalCapacity: "many" } });
    });
    await page.goto(`/events/${eventId}`);
    await page.getByRole("heading", { name: "Concert" }).waitFor();
    const { faults } = await answers();
    assert.match(
      faults.join(),
      /GET \/api\/events\/[0-9a-f-]{36}: the body breaks the contract: .*totalCapacity/,
    );
    // The console tells of it a moment after the page shows the event.
    await waitFor(() => complaints.some((text) => /status of 503 .*\/availability\)/.test(text)), {
      withinMs: FACT_TIMEOUT_MS,
    });
    await assert.rejects(close(), /answered as the OpenAPI document says/);
  });

  it("can do all of it by keyboard", async () => {
    const eventId = await pages.engine.addEvent({ capacity: 5 });
    const { page, complaints, close } = await pages.open();
    const focused = (): Promise<string> =>
      page.evaluate("document.activeElement?.textContent?.trim() ?? ''");
    const tabTo = async (name: string): Promise<void> => {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press("Tab");
        if ((await focused()) === name) return;
      }
      assert.fail(
        `${name} cannot be reached with the keyboard; the focus is on ${await focused()}`,
      );
    };
    await page.goto(`/register?to=/events/${eventId}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await tabTo("Skip to content");
    await page.keyboard.press("Enter");
    for (const text of [
      "Grace Hopper",
      `keyboard-${process.pid}@example.org`,
      "correct horse battery staple",
    ]) {
      await page.keyboard.press("Tab");
      await page.keyboard.type(text);
    }
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Buy 1 ticket" }).waitFor();
    await tabTo("Buy 1 ticket");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "You’ve got 1 ticket" }).waitFor();
    assert.equal(await focused(), "Show tickets", "the focus stays where it was");
    await page.keyboard.press("Enter");
    await page.getByRole("img", { name: /^QR code/ }).waitFor();
    await tabTo("Cancel ticket…");
    await page.keyboard.press("Enter");
    assert.equal(await focused(), "Keep my ticket", "the safe answer has the focus");
    await page.keyboard.press("Escape");
    assert.equal(await focused(), "Cancel ticket…", "Escape closes and gives the focus back");
    await page.keyboard.press("Enter");
    await tabTo("Yes, cancel it");
    await page.keyboard.press("Enter");
    await page.getByText(/This ticket is no longer valid/).waitFor();
    assert.equal(await focused(), "Concert", "the focus is not lost with the dialog");
    assert.deepEqual(complaints, []);
    await close();
  });

  it("gets the last ticket or learns at once that it is sold, when two want it", async () => {
    const eventId = await pages.engine.addEvent({ capacity: 1 });
    const windows = await Promise.all([pages.open(), pages.open(), pages.open()]);
    const [one, other, onlooker] = windows.map(({ page }) => page);
    assert.ok(one && other && onlooker);
    for (const page of [one, other]) {
      await page.goto(`/register?to=/events/${eventId}`);
      await registerVisitor(page);
    }
    await onlooker.goto(`/events/${eventId}`);
    const buyers = [one, other];
    await Promise.all(
      buyers.map((page) => page.getByRole("button", { name: "Buy 1 ticket" }).waitFor()),
    );
    // Holds both orders: otherwise "Sold out" could disable the slower buyer's button.
    const bothOrdered = Promise.withResolvers<undefined>();
    let orders = 0;
    for (const page of buyers)
      await page.route("**/api/events/*/tickets", async (route) => {
        orders += 1;
        if (orders === 2) bothOrdered.resolve(undefined);
        await bothOrdered.promise;
        await route.continue();
      });
    await Promise.all(
      buyers.map((page) => page.getByRole("button", { name: "Buy 1 ticket" }).click()),
    );
    const outcomes = await Promise.all(
      buyers.map(async (page) => {
        const yes = page.getByRole("heading", { name: "You’ve got 1 ticket" });
        const no = page.getByText("There aren’t enough tickets left. You haven’t bought anything.");
        await yes.or(no).waitFor();
        return (await yes.count()) === 1;
      }),
    );
    assert.deepEqual(outcomes.sort(), [false, true]);
    await Promise.all(
      [one, other, onlooker].map((page) => page.getByText("Sold out").first().waitFor()),
    );
    assert.equal(await onlooker.getByRole("button", { name: /buy/i }).count(), 0);
    await Promise.all(windows.map(({ close }) => close()));
  });

  it("prefers the availability stream to an older response", async () => {
    const eventId = await pages.engine.addEvent({ capacity: 1 });
    const { page, close } = await pages.open();
    const before = await (await fetch(`${pages.engine.url}/api/events/${eventId}`)).text();
    const headers = {
      Authorization: `Bearer ${pages.engine.accessToken()}`,
      "Content-Type": "application/json",
    };
    const bought = await fetch(`${pages.engine.url}/api/events/${eventId}/tickets`, {
      method: "POST",
      headers,
      body: "{}",
    });
    assert.equal(bought.status, 201);
    const stream = page.waitForResponse("**/availability");
    await page.route(`**/api/events/${eventId}`, async (route) => {
      await stream;
      await route.fulfill({ contentType: "application/json", body: before });
    });
    await page.goto(`/events/${eventId}`);
    await page.getByText("Sold out").first().waitFor();
    await close();
  });
});
