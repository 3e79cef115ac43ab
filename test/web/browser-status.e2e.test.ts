// Browser test: card and page say what an event sells, also when it changes while they are open.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { EventRecord } from "../../domain/event-record.ts";
import { createInternalTokenMint } from "../../lib/auth/jwt.ts";
import { eventId as idOf } from "../../lib/ids.ts";
import { registerVisitor } from "../support/http/browser.ts";
import { type Pages, startPages } from "../support/http/pages.ts";
import { galaIn } from "../support/fixtures/gala.ts";

const HOUR_MS = 3_600_000;

describe("what an event sells", () => {
  let pages: Pages;
  let bring: (record: EventRecord) => Promise<void>;
  before(async () => {
    pages = await startPages();
    const { broker } = await pages.engine.startNode({ SERVICES: "catalog" });
    const token = createInternalTokenMint(pages.engine.config.internalTokenSecret)({
      userId: randomUUID(),
      role: "operator",
    });
    bring = async (record) => {
      await broker.call("catalog.import", { records: [record] }, { meta: { token } });
    };
  });
  after(() => pages.close());

  it("is said on its card and its page, and none of them is for sale", async () => {
    const started = await pages.engine.addEvent({ startsInMs: -HOUR_MS });
    const soldOut = await pages.engine.addEvent({ capacity: 0 });
    const [cancelled, postponed] = [galaIn(2041), galaIn(2042)];
    await bring({ ...cancelled, status: "cancelled" });
    await bring({ ...postponed, status: "postponed" });
    const { page, close } = await pages.open();
    for (const [id, text, button] of [
      [started, "Already started", "Not on sale"],
      [soldOut, "Sold out", "Sold out"],
      [idOf(cancelled), "Event cancelled", "Not on sale"],
      [idOf(postponed), "Event postponed", "Not on sale"],
    ] as const) {
      await page.goto("/");
      const card = page.locator(".card", { has: page.locator(`a[href="/events/${id}"]`) });
      await card.getByText(text).waitFor();
      assert.equal(await card.getByText("Available").count(), 0, text);
      await page.goto(`/events/${id}`);
      await page.locator(".event-head").getByText(text).waitFor();
      await page.getByRole("button", { name: button, disabled: true }).waitFor();
      assert.equal(await page.getByRole("button", { name: "More tickets" }).count(), 0, text);
    }
    await close();
  });

  it("changes in an open page when the event starts", async () => {
    const soon = await pages.engine.addEvent({ startsInMs: HOUR_MS });
    const { page, close } = await pages.open();
    await page.clock.install();
    await page.goto(`/events/${soon}`);
    await page.getByRole("button", { name: "Sign in to buy" }).waitFor();
    await page.clock.fastForward(HOUR_MS + 1_000);
    await page.locator(".event-head").getByText("Already started").waitFor();
    await close();
  });

  it("changes in an open page when the event is postponed, planned or cancelled", async () => {
    const record = galaIn(2043);
    await bring(record);
    const { page, close } = await pages.open();
    await page.goto(`/register?to=/events/${idOf(record)}`);
    await registerVisitor(page);
    await page.getByRole("button", { name: "Buy 1 ticket" }).waitFor();
    const stepper = page.getByRole("button", { name: "More tickets" });
    await stepper.focus();
    await bring({ ...record, status: "postponed" });
    await page.locator(".event-head").getByText("Event postponed").waitFor();
    await page.getByText(/Tickets will go back on sale once there’s a new date/).waitFor();
    const focused = await page.evaluate("document.activeElement?.textContent");
    assert.equal(focused, "Not on sale", "the focus is not lost with the control that had it");
    await bring({
      ...record,
      date: "2043-07-01",
      startsAt: "2043-07-01T18:00:00.000Z",
      endsAt: "2043-07-01T20:00:00.000Z",
    });
    await page.getByRole("button", { name: "Buy 1 ticket" }).waitFor();
    await page
      .locator(".event-head")
      .getByText(/1 July 2043/)
      .waitFor();
    await stepper.waitFor();
    await bring({ ...record, status: "cancelled" });
    await page.locator(".event-head").getByText("Event cancelled").waitFor();
    await close();
  });
});
