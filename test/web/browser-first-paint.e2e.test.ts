// Browser test of the document itself: what a page shows before its script runs.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Pages, startPages } from "../support/http/pages.ts";

/** Places of the headline, in whole pixels. */
const HEADLINE = `JSON.stringify((({ x, y, height }) => [x, y, height].map(Math.round))(
  document.querySelector("h1").getBoundingClientRect()))`;

describe("a page before its script", () => {
  let pages: Pages;
  before(async () => {
    pages = await startPages();
  });
  after(() => pages.close());

  for (const width of [360, 1280])
    it(`shows the event where the app shows it, at ${width} px, and breaks no policy`, async () => {
      const eventId = await pages.engine.addEvent({ capacity: 3 });
      const name = "Rock & <Roll> </script>";
      await pages.engine.database.query({
        text: "UPDATE event SET name = $2 WHERE id = $1",
        values: [eventId, name],
      });
      const { page, complaints, close } = await pages.open({ viewport: { width, height: 720 } });
      const blocked = Promise.withResolvers<undefined>();
      await page.route(/\/(?:assets|fonts)\//, async (route) => {
        await blocked.promise;
        await route.continue();
      });
      await page.goto(`/events/${eventId}`, { waitUntil: "commit" });
      await page.getByRole("heading", { name }).waitFor();
      assert.equal(await page.title(), `${name} · Boxoffice`);
      // No script, style sheet or font is here yet.
      await page.waitForFunction(
        "performance.getEntriesByName('first-contentful-paint').length > 0",
      );
      const painted = await page.evaluate(HEADLINE);
      blocked.resolve(undefined);
      await page.getByText("3 of 3 tickets left").waitFor();
      assert.deepEqual(await page.evaluate(HEADLINE), painted);
      assert.deepEqual(complaints, []);
      await close();
    });
});
