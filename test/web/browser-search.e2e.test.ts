// Browser test of the search form: the city field by keyboard, and Back.
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

  for (const [name, leave] of [
    ["Tab", (page: Page) => page.keyboard.press("Tab")],
    ["Enter", (page: Page) => page.keyboard.press("Enter")],
    ["a click elsewhere", (page: Page) => page.getByRole("heading", { level: 1 }).click()],
  ] as const)
    it(`takes the only city that fits, by ${name}`, async () => {
      const { page, close } = await openSearch();
      const city = page.getByRole("combobox", { name: "City" });
      await city.pressSequentially("Berl");
      await page.getByRole("option", { name: /^Berlin/ }).waitFor();
      assert.equal(await page.getByRole("option").count(), 1);
      await leave(page);
      await page.waitForURL(/\?location=Berlin$/);
      assert.equal(await city.inputValue(), "Berlin");
      await page.getByRole("listbox").waitFor({ state: "hidden" });
      await close();
    });

  it("takes the highlighted city of several, and a name that is not listed as it is", async () => {
    const { page, close } = await openSearch();
    const city = page.getByRole("combobox", { name: "City" });
    await city.click();
    const second = page.getByRole("option").nth(1);
    await second.waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    assert.equal(await second.getAttribute("aria-selected"), "true");
    const wanted = (await second.innerText()).replace(/\s*[\d,.]+$/, "").trim();
    await page.keyboard.press("Tab");
    await page.waitForURL((url) => url.searchParams.get("location") === wanted);
    await city.fill("Nowhere at all");
    await page.keyboard.press("Tab");
    await page.waitForURL((url) => url.searchParams.get("location") === "Nowhere at all");
    await city.fill("");
    await page.waitForURL((url) => !url.searchParams.has("location"));
    await close();
  });

  it("undoes one filter with each Back, and a typed name as a whole", async () => {
    const { page, close } = await openSearch();
    await page.getByRole("radio", { name: "Concert" }).check();
    await page.waitForURL(/\?type=concert$/);
    await page.getByRole("radio", { name: "Next 7 days" }).check();
    await page.waitForURL(/&from=/);
    const name = page.getByRole("searchbox", { name: "Name or city" });
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
    assert.equal(await page.getByRole("radio", { name: "Any day" }).isChecked(), true);
    await page.goBack();
    await page.waitForURL((url) => url.search === "");
    assert.equal(await page.getByRole("radio", { name: "Everything" }).isChecked(), true);
    await close();
  });
});
