// Browser test of pictures of events: on cards and pages, and the motif where a file is missing.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Locator } from "playwright-core";
import sharp from "sharp";
import type { EventImage } from "../../domain/event-image.ts";
import { createPictureStore } from "../../tools/pictures/picture-store.ts";
import { resizePicture } from "../../tools/pictures/resize-picture.ts";
import { violations } from "../support/http/axe.ts";
import { takePicture } from "../support/http/browser.ts";
import { type Pages, startPages } from "../support/http/pages.ts";
import { waitFor } from "../support/wait-for.ts";

/** No gateway has its files. */
const LOST: EventImage = { hash: "0".repeat(32), width: 1_280, height: 640 };

describe("pictures of events", () => {
  let pages: Pages;
  let names: Record<"wide" | "tall" | "lost" | "none", string>;
  before(async () => {
    pages = await startPages();
    const store = createPictureStore(pages.engine.config.dataDir);
    const keep = async (width: number, height: number): Promise<EventImage> => {
      const background = { r: 200, g: 90, b: 30 };
      const picture = sharp({ create: { width, height, channels: 3, background } });
      return store.keep(await resizePicture(await picture.jpeg().toBuffer()));
    };
    const add = async (name: string, image: EventImage | null): Promise<string> => {
      const id = await pages.engine.addEvent();
      await pages.engine.database.query({
        text: "UPDATE event SET name = $2, name_key = lower($2), image = $3 WHERE id = $1",
        values: [id, name, image],
      });
      return id;
    };
    names = {
      wide: await add("Wide", await keep(1_600, 800)),
      tall: await add("Tall", await keep(700, 1_000)),
      lost: await add("Lost", LOST),
      none: await add("None", null),
    };
  });
  after(() => pages.close());

  const hasLoaded = (picture: Locator): Promise<boolean> =>
    picture.evaluate((element) => {
      const { complete, naturalWidth } = element as unknown as {
        complete: boolean;
        naturalWidth: number;
      };
      return complete && naturalWidth > 0;
    });
  const shape = async (cover: Locator): Promise<string> => {
    const { width = 0, height = 1 } = (await cover.boundingBox()) ?? {};
    return (width / height).toFixed(1);
  };
  /** The console's line about a file that is not there. */
  const others = (complaints: readonly string[]): string[] =>
    complaints.filter((line) => !/404 \(Not Found\).*\/images\/0{32}-/.test(line));

  for (const [what, viewport] of [
    ["a wide screen", { width: 1_280, height: 900 }],
    ["a phone", { width: 360, height: 740 }],
  ] as const)
    it(`are on the cards of ${what}, in the shape of the motifs, which stand for a lost one`, async () => {
      const { page, complaints, close } = await pages.open({ viewport });
      const hosts = new Set<string>();
      page.on("request", (request) => hosts.add(new URL(request.url()).origin));
      await page.goto("/?location=Berlin");
      const cover = (name: string, tag: string): Locator =>
        page.locator(".card", { hasText: name }).locator(`${tag}.cover`);
      for (const name of ["Wide", "Tall"]) {
        const picture = cover(name, "img");
        await waitFor(() => hasLoaded(picture), {
          withinMs: 60_000,
          what: `the picture of ${name}`,
        });
        assert.equal(await picture.getAttribute("loading"), "lazy");
        assert.equal(await picture.getAttribute("alt"), "", "the name stands beside it");
        assert.ok(Number(await picture.getAttribute("width")) > 0);
        assert.ok(Number(await picture.getAttribute("height")) > 0);
      }
      for (const name of ["Lost", "None"]) await cover(name, "svg").waitFor();
      assert.equal(await cover("Lost", "img").count(), 0);
      const motif = await shape(cover("None", "svg"));
      for (const name of ["Wide", "Tall"]) assert.equal(await shape(cover(name, "img")), motif);
      const wide = await page.evaluate<number>("document.documentElement.scrollWidth");
      assert.ok(wide <= viewport.width, `${wide} px`);
      await takePicture(page, `pictures-cards-${viewport.width}`);
      assert.deepEqual([...hosts], [new URL(page.url()).origin], "no request to a third party");
      assert.deepEqual(others(complaints), []);
      await close();
    });

  it("are on the page of an event with its name, and the motif stands for a lost one", async () => {
    const { page, complaints, close } = await pages.open();
    for (const [name, id] of [
      ["Wide", names.wide],
      ["Tall", names.tall],
    ] as const) {
      await page.goto(`/events/${id}`);
      const picture = page.getByRole("img", { name: `Picture of ${name}` });
      await waitFor(() => hasLoaded(picture), { withinMs: 60_000, what: `the picture of ${name}` });
      await page
        .getByRole("button", { name: /Buy|Sign in/ })
        .first()
        .waitFor();
      assert.equal(await shape(picture), "2.0");
      assert.deepEqual(await violations(page), []);
      await takePicture(page, `pictures-event-${name}`);
    }
    for (const id of [names.lost, names.none]) {
      await page.goto(`/events/${id}`);
      await page.locator(".event-art svg.cover").waitFor();
      assert.equal(await page.locator(".event-art img").count(), 0);
    }
    assert.deepEqual(others(complaints), []);
    await close();
  });
});
