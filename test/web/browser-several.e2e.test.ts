// Browser test of several tickets at once: cancelling those of an order, and printing their codes.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { madeUpProblem, registerVisitor, takePicture } from "../support/http/browser.ts";
import { type Pages, startPages } from "../support/http/pages.ts";

describe("several tickets at once", () => {
  let pages: Pages;
  before(async () => {
    pages = await startPages();
  });
  after(() => pages.close());

  /** A visitor at the page of an order of four tickets. */
  async function openOrder(page: Page): Promise<string> {
    const eventId = await pages.engine.addEvent({ capacity: 10 });
    await page.goto(`/register?to=/events/${eventId}?quantity=4`);
    await registerVisitor(page);
    await page.getByRole("button", { name: "Buy 4 tickets" }).click();
    await page.getByRole("heading", { name: "You’ve got 4 tickets" }).waitFor();
    await page.goto("/tickets");
    await page.getByRole("link", { name: "Order of 4 tickets" }).click();
    await page.getByRole("heading", { name: "Concert" }).waitFor();
    return eventId;
  }

  async function valid(eventId: string): Promise<number> {
    const [row] = await pages.engine.database.query<{ count: number }>({
      text: `SELECT count(*)::integer AS count FROM event_tickets
        WHERE event_id = $1 AND cancelled_at IS NULL`,
      values: [eventId],
    });
    return row?.count ?? 0;
  }

  it("are cancelled after one question, and each is named: also one that failed", async () => {
    const { page, complaints, close } = await pages.open();
    const eventId = await openOrder(page);
    const cancel = page.getByRole("button", { name: "Cancel tickets…" });
    await cancel.click();
    await page.getByRole("status").getByText("Choose the tickets to cancel first.").waitFor();
    await page.getByRole("checkbox", { name: "Select all" }).check();
    await page.getByRole("checkbox", { name: "Ticket 1" }).uncheck();
    assert.equal(await page.getByRole("checkbox", { name: "Select all" }).isChecked(), false);
    await takePicture(page, "order-chosen");
    await cancel.click();
    await page.getByRole("heading", { name: "Cancel 3 tickets?" }).waitFor();
    await page.getByRole("button", { name: "Keep my tickets" }).click();
    assert.equal(await valid(eventId), 4, "nothing is cancelled before the answer");
    let requests = 0;
    await page.route("**/api/tickets/*", async (route) => {
      if (route.request().method() === "DELETE" && (requests += 1) === 2)
        await route.fulfill(madeUpProblem("EVENT_OVER"));
      else await route.continue();
    });
    await cancel.click();
    await page.getByRole("button", { name: "Yes, cancel it" }).click();
    const result = page.getByRole("heading", { name: "2 of 3 tickets are cancelled" });
    await result.waitFor();
    assert.equal(
      await page.evaluate("document.activeElement?.textContent"),
      await result.textContent(),
    );
    const lines = page.locator("section.notice li");
    assert.deepEqual(await lines.allInnerTexts(), [
      "Ticket 2: cancelled",
      "Ticket 3: not cancelled. The event has started. Nothing has changed.",
      "Ticket 4: cancelled",
    ]);
    await page.getByRole("checkbox", { name: "Ticket 3" }).waitFor({ state: "detached" });
    assert.equal(await valid(eventId), 2);
    await takePicture(page, "order-result");
    assert.deepEqual(
      complaints.filter((text) => !text.includes("409")),
      [],
    );
    await close();
  });

  it("are printed with all codes, three on a sheet, none cut", async () => {
    const { page, complaints, close } = await pages.open();
    await openOrder(page);
    await page.getByRole("link", { name: "Print all codes" }).click();
    const codes = page.getByRole("img", { name: /^QR code/ });
    await codes.nth(3).waitFor();
    assert.equal(await codes.count(), 4);
    await takePicture(page, "order-print");
    const paths = await Promise.all(
      (await codes.all()).map((code) => code.locator("path").getAttribute("d")),
    );
    assert.equal(new Set(paths).size, 4, "each ticket has its own code");
    const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
    assert.equal(pdf.match(/\/Type\s*\/Page\b(?!s)/g)?.length, 2);
    assert.match(pdf, /\/MediaBox\s*\[0 0 59[45][.\d]* 84[12][.\d]*\]/, "A4");
    await page.emulateMedia({ media: "print" });
    for (const article of await page.locator(".printed-ticket").all()) {
      const { height = 0 } = (await article.boundingBox()) ?? {};
      assert.ok(Math.abs(height - (85 / 25.4) * 96) < 1, `${height}px are 85 mm`);
    }
    const rule = "getComputedStyle(document.querySelector('.printed-ticket')).breakInside";
    assert.equal(await page.evaluate(rule), "avoid");
    assert.equal(await page.locator(".site-header").isVisible(), false);
    assert.deepEqual(complaints, []);
    await close();
  });
});
