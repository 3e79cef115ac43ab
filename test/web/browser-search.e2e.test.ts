// Browser test of the search form: suggestions by keyboard, rows, and Back.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { type Pages, startPages } from "../support/http/pages.ts";

describe("the search form", () => {
  let pages: Pages;
  before(async () => {
    pages = await startPages({ demoEvents: 200 });
    // A concert in Berlin.
    await pages.engine.addEvent();
  });
  after(() => pages.close());

  async function openSearch(path = "/"): Promise<{ page: Page; close: () => Promise<void> }> {
    const { page, complaints, close } = await pages.open();
    const listed = page.waitForResponse("**/api/events/filters");
    await page.goto(path);
    await listed;
    await page.locator(".card").first().waitFor();
    return {
      page,
      async close() {
        assert.deepEqual(complaints, []);
        await close();
      },
    };
  }

  it("suggests cities and events by keyboard; a chosen city can be taken away", async () => {
    const { page, close } = await openSearch();
    const search = page.getByRole("combobox", { name: "Name or city" });
    await search.pressSequentially("Berl");
    await page.getByRole("option", { name: /^Berlin \d+ events?$/ }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\?location=Berlin$/);
    assert.equal(await search.inputValue(), "");
    await page.getByRole("listbox").waitFor({ state: "hidden" });
    // They count the whole catalog.
    await page.locator(".chips small").first().waitFor({ state: "hidden" });
    await page.getByRole("button", { name: /^Berlin:/ }).click();
    await page.waitForURL((url) => url.search === "");
    await page.locator(".chips small").first().waitFor();

    await search.pressSequentially("Concert");
    await page.waitForURL((url) => url.searchParams.get("name") === "Concert");
    const event = page.getByRole("option", { name: /^Concert \d/ }).first();
    await event.waitFor();
    await event.click();
    await page.waitForURL(/\/events\/[\da-f-]{36}$/);
    await page.getByRole("heading", { level: 1, name: "Concert" }).waitFor();
    await close();
  });

  it("searches the text as it is with Enter, where no suggestion is chosen", async () => {
    const { page, close } = await openSearch();
    const search = page.getByRole("combobox", { name: "Name or city" });
    await search.fill("Nowhere at all");
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.searchParams.get("name") === "Nowhere at all");
    await page.getByRole("heading", { name: "No events found" }).waitFor();
    await close();
  });

  it("lists a city's single events in rows, less than half as high as cards", async () => {
    const { page, close } = await openSearch();
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      const [row] = await page.locator(".rows .card").all();
      const { height = Infinity } = (await row?.boundingBox()) ?? {};
      assert.ok(height < 140, `${height} px at ${width}`);
    }
    await close();
  });

  it("undoes one filter with each Back, and a typed name as a whole", async () => {
    const { page, close } = await openSearch();
    await page.getByRole("radio", { name: "Concert" }).check();
    await page.waitForURL(/\?type=concert$/);
    await page.getByRole("radio", { name: "Next 7 days" }).check();
    await page.waitForURL(/&from=/);
    const name = page.getByRole("combobox", { name: "Name or city" });
    // Each text is searched before the next letter comes.
    for (const text of ["a", "an"]) {
      await name.fill(text);
      await page.waitForURL((url) => url.searchParams.get("name") === text);
    }
    await page.goBack();
    await page.waitForURL((url) => !url.searchParams.has("name") && url.searchParams.has("from"));
    await page.waitForFunction("document.querySelector('input[type=search]').value === ''");
    await page.goBack();
    await page.waitForURL(/\?type=concert$/);
    assert.equal(await page.getByRole("radio", { name: "Any time" }).isChecked(), true);
    await page.goBack();
    await page.waitForURL((url) => url.search === "");
    assert.equal(await page.getByRole("radio", { name: "All events" }).isChecked(), true);
    await close();
  });
});
