// Browser test on a phone of 360 x 640: what is in view, what stays in place, what a tap does.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Locator, Page } from "playwright-core";
import { madeUpProblem, registerVisitor } from "../support/http/browser.ts";
import { type Pages, startPages } from "../support/http/pages.ts";

const PHONE = { width: 360, height: 640 };
const DESKTOP = { width: 1280, height: 720 };
const ORDERS = "**/api/events/*/tickets";

type Box = { x: number; y: number; width: number; height: number };

describe("on a phone", () => {
  let pages: Pages;
  before(async () => {
    pages = await startPages();
  });
  after(() => pages.close());

  async function boxOf(what: Locator): Promise<Box> {
    return (await what.boundingBox()) ?? assert.fail("it is not shown");
  }

  /** Of a page that has not been scrolled. */
  async function assertInView(page: Page, what: Locator): Promise<void> {
    const { x, y, width, height } = await boxOf(what);
    const size = page.viewportSize() ?? assert.fail("no viewport");
    const seen = `${x},${y} ${width}x${height}`;
    assert.equal(await page.evaluate("scrollY"), 0, "nothing has scrolled");
    assert.ok(x >= 0 && y >= 0 && x + width <= size.width && y + height <= size.height, seen);
  }

  async function buyer(page: Page, capacity = 10): Promise<string> {
    const eventId = await pages.engine.addEvent({ capacity });
    await page.goto(`/register?to=/events/${eventId}`);
    await registerVisitor(page);
    await page.getByRole("button", { name: "Buy 1 ticket" }).waitFor();
    return eventId;
  }

  for (const viewport of [PHONE, DESKTOP])
    it(`shows Buy at one place until it has bought, ${viewport.width} px wide`, async () => {
      const { page, close } = await pages.open({ viewport });
      const eventId = await buyer(page);
      await page.goto(`/events/${eventId}`);
      const answers = [madeUpProblem("TRY_AGAIN"), madeUpProblem("OUTCOME_UNKNOWN")];
      // Each retry is answered once the state before it has been looked at.
      const looked = [1, 2].map(() => Promise.withResolvers<undefined>());
      const before = [undefined, ...looked.map(({ promise }) => promise)];
      await page.route(ORDERS, async (route) => {
        await before.shift();
        const answer = answers.shift();
        await (answer === undefined ? route.continue() : route.fulfill(answer));
      });
      const buy = page.getByRole("button", { name: "Buy 1 ticket" });
      await buy.waitFor();
      await assertInView(page, buy);
      const { x, y, width, height } = await boxOf(buy);
      // The element itself: a new one in its place would lose focus and taps.
      const button = (await buy.elementHandle()) ?? assert.fail("no button");
      const assertInPlace = async (state: string): Promise<void> => {
        assert.ok(await button.evaluate((one: { isConnected: boolean }) => one.isConnected), state);
        assert.deepEqual(await button.boundingBox(), { x, y, width, height }, state);
      };
      await page.getByRole("button", { name: "More tickets" }).click();
      await page.getByRole("button", { name: "Buy 2 tickets" }).waitFor();
      await assertInPlace("another quantity");
      await button.click();
      await page.getByText(/You haven’t bought anything yet/).waitFor();
      await assertInPlace("busy");
      looked[0]?.resolve(undefined);
      await page.getByText(/we’re sending the same order again/).waitFor();
      await assertInPlace("in doubt");
      looked[1]?.resolve(undefined);
      await page.getByRole("heading", { name: "You’ve got 2 tickets" }).waitFor();
      await assertInPlace("bought");
      await assertInView(page, page.getByRole("heading", { name: "You’ve got 2 tickets" }));
      assert.equal(await button.textContent(), "Show tickets");
      await close();
    });

  it("buys nothing by a second tap, also one after the answer; more only when asked", async () => {
    const { page, close } = await pages.open({ viewport: PHONE, hasTouch: true });
    const eventId = await buyer(page);
    let orders = 0;
    page.on("request", (request) => {
      if (request.method() === "POST" && request.url().endsWith("/tickets")) orders += 1;
    });
    const { x, y, width, height } = await boxOf(page.getByRole("button", { name: /^Buy/ }));
    const tap = () => page.touchscreen.tap(x + width / 2, y + height / 2);
    await tap();
    await page.getByRole("heading", { name: "You’ve got 1 ticket" }).waitFor();
    await tap();
    await page.getByRole("img", { name: /^QR code/ }).waitFor();
    assert.equal(orders, 1, "the second tap shows the ticket");
    await page.goBack();
    await page.getByRole("button", { name: "Buy more" }).tap();
    const dialog = page.getByRole("dialog", { name: "Buy more tickets?" });
    await dialog.getByRole("button", { name: "No, thanks" }).tap();
    await page.getByRole("button", { name: "Buy more" }).tap();
    assert.equal(orders, 1, "it asks first");
    await dialog.getByRole("button", { name: "More tickets" }).tap();
    await dialog.getByRole("button", { name: "Buy 2 more tickets" }).tap();
    await page.getByRole("heading", { name: "You’ve got 3 tickets" }).waitFor();
    assert.equal(orders, 2);
    const text = "SELECT count(*)::integer AS count FROM event_tickets WHERE event_id = $1";
    const [row] = await pages.engine.database.query<{ count: number }>({ text, values: [eventId] });
    assert.equal(row?.count, 3);
    await close();
  });

  it("keeps the chosen number when fewer are left, and says so", async () => {
    const { page, close } = await pages.open({ viewport: PHONE });
    const eventId = await buyer(page, 5);
    for (let more = 0; more < 3; more += 1)
      await page.getByRole("button", { name: "More tickets" }).click();
    await page.getByRole("button", { name: "Buy 4 tickets", disabled: false }).waitFor();
    const bought = await fetch(`${pages.engine.url}/api/events/${eventId}/tickets`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${pages.engine.accessToken()}`,
        "Content-Type": "application/json",
      },
      body: JSON.stringify({ quantity: 3 }),
    });
    assert.equal(bought.status, 201);
    await page.getByRole("status").getByText("Only 2 tickets left").waitFor();
    await page.getByRole("button", { name: "Buy 4 tickets", disabled: true }).waitFor();
    await page.getByRole("button", { name: "Fewer tickets" }).click();
    await page.getByRole("button", { name: "Buy 2 tickets", disabled: false }).waitFor();
    await close();
  });

  it("shows the QR code first, keeps the screen on, and pages through an order", async () => {
    const { page, close } = await pages.open({ viewport: PHONE });
    await page.addInitScript(recordWakeLocks);
    await buyer(page);
    for (let more = 0; more < 2; more += 1)
      await page.getByRole("button", { name: "More tickets" }).click();
    await page.getByRole("button", { name: "Buy 3 tickets" }).click();
    await page.getByRole("button", { name: "Show tickets" }).click();
    const code = page.getByRole("img", { name: /^QR code/ });
    await code.waitFor();
    await assertInView(page, code);
    await page.waitForFunction("globalThis.wakeLocks.length > 0");
    assert.deepEqual(await page.evaluate("globalThis.wakeLocks"), ["screen"]);
    const pager = page.getByRole("navigation", { name: "Tickets of this order" });
    await pager.getByText("1 of 3").waitFor();
    await assertInView(page, pager);
    const codes = new Set<string | null>();
    const next = pager.getByRole("button", { name: "Next ticket" });
    for (const place of ["1 of 3", "2 of 3", "3 of 3"]) {
      await pager.getByText(place).waitFor();
      await code.waitFor();
      codes.add(await code.locator("path").getAttribute("d"));
      if (place === "3 of 3") break;
      await next.press("Enter");
    }
    assert.equal(codes.size, 3, "each ticket has its own code");
    assert.equal(await next.isDisabled(), true, "the last has no next one");
    const focused = await page.evaluate("document.activeElement?.getAttribute('aria-label')");
    assert.equal(focused, "Next ticket", "the focus stays");
    const [poster, heading] = [
      page.locator(".ticket .cover"),
      page.getByRole("heading", { level: 1 }),
    ];
    assert.ok((await boxOf(poster)).y > (await boxOf(heading)).y, "the poster comes last");
    await page.goBack();
    await page.getByRole("button", { name: "Show tickets" }).waitFor();
    await page.getByRole("link", { name: "My tickets" }).click();
    await page.getByRole("link", { name: "Ticket 2" }).click();
    await pager.getByText("2 of 3").waitFor();
    await page.getByRole("button", { name: "Cancel ticket…" }).click();
    await page.getByRole("button", { name: "Yes, cancel it" }).click();
    await page
      .getByRole("status")
      .getByText(/This ticket is no longer valid/)
      .waitFor();
    await page.getByRole("link", { name: "All my tickets" }).click();
    await page.getByRole("link", { name: "Ticket 1" }).click();
    await pager.getByText("1 of 2").waitFor();
    await close();
  });
});

/** Runs in the page: records the kinds of wake locks that it asks for. */
const recordWakeLocks = `
  globalThis.wakeLocks = [];
  const request = navigator.wakeLock.request.bind(navigator.wakeLock);
  navigator.wakeLock.request = (type) => {
    globalThis.wakeLocks.push(type);
    return request(type);
  };`;
