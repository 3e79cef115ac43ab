// Compares eight pages with the pictures in test/web/pictures, pixel by pixel. A wanted change:
// `npm test -- browser-pixels --renew`, then look at what git shows.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import pixelmatch from "pixelmatch";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { processEnvironment } from "../../config/index.ts";
import { ROOT } from "../../tools/root.ts";
import { registerVisitor, SCREENSHOTS } from "../support/http/browser.ts";
import { type Pages, startPages } from "../support/http/pages.ts";

const PICTURES = join(ROOT, "test", "web", "pictures");
/** Share of the pixels that may differ: edges of letters, which versions of Chromium draw anew. */
const SHARE_MAX = 0.002;
/** How far a color may differ, from 0 to 1. */
const COLOR_MAX = 0.2;
/** A palette: flat colors and gray edges need no more, and the files are a third as large. */
const SMALL = { palette: true, dither: 0, effort: 10 };
const SIZES = [
  { width: 360, height: 720 },
  { width: 1_280, height: 800 },
];
const SCHEMES = ["light", "dark"] as const;
/** Far enough away to be upcoming for many years. */
const EVENTS = [
  ["Nova Quartet", "concert", "Berlin", "2044-05-06", 600],
  ["Hamlet", "theatre", "London", "2044-05-06", 400],
  ["Stand-up Night with Ada", "comedy", "London", "2044-05-06", 120],
  ["Harbour Lights Festival", "festival", "Hamburg", "2044-05-06", 8_000],
  ["City – Rovers", "football", "London", "2044-05-07", 24_000],
  ["Urban Planning Conference", "conference", "Łódź", "2044-05-08", 900],
  ["Pottery for Beginners", "workshop", "London", "2044-05-09", 12],
] as const;

type Picture = { data: Buffer; width: number; height: number };

describe("pictures of the pages", () => {
  let pages: Pages;
  before(async () => {
    pages = await startPages();
    for (const [index, event] of EVENTS.entries()) await addEvent(index, event);
  });
  after(() => pages.close());

  /** Adds an event whose id, and with it the motif, is the same in every run. */
  async function addEvent(
    index: number,
    [name, type, location, date, total]: (typeof EVENTS)[number],
  ): Promise<void> {
    const id = idOf(index);
    await pages.engine.database.query({
      text: `
        INSERT INTO event (id, name, name_key, type, type_key, location, location_key,
          date, start_time, end_time, duration, time_zone,
          starts_at, ends_at, total_capacity, capacity, source, source_id)
        VALUES ($1::uuid, $2::text, lower($2::text), $3::text, $3::text, $4::text,
          lower($4::text), $5::date, '20:00', '22:00', 120, 'Europe/London',
          ($5::date + time '19:00') AT TIME ZONE 'UTC',
          ($5::date + time '21:00') AT TIME ZONE 'UTC', $6::int, $6::int, 'test',
          $1::uuid::text)`,
      values: [id, name, type, location, date, total],
    });
  }

  /** Shows a page in each size and theme, and compares what is in view. */
  async function compare(page: Page, name: string): Promise<void> {
    // Off the buttons, which look different below it.
    await page.mouse.move(0, 0);
    for (const size of SIZES)
      for (const colorScheme of SCHEMES) {
        await page.setViewportSize(size);
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.evaluate("document.fonts.ready.then(() => undefined)");
        const file = `${name}-${size.width}-${colorScheme}.png`;
        const seen = await pictureOf(page);
        if (processEnvironment().RENEW_PICTURES === "yes") {
          await keep(seen, PICTURES, file);
          continue;
        }
        assert.ok(
          existsSync(join(PICTURES, file)),
          `no ${file}: npm test -- browser-pixels --renew`,
        );
        const wanted = await pixelsOf(readFileSync(join(PICTURES, file)));
        const share = differenceOf(seen, wanted);
        if (share > SHARE_MAX) await keep(seen, SCREENSHOTS, file);
        assert.ok(
          share <= SHARE_MAX,
          `${file}: ${(share * 100).toFixed(2)} % of the pixels differ; see .data/screenshots`,
        );
      }
  }

  it("are those of test/web/pictures, for visitors", async () => {
    const { page, close } = await pages.open();
    const soldOut = idOf(6);
    await pages.engine.database.query({
      text: "UPDATE event SET capacity = 0 WHERE id = $1",
      values: [soldOut],
    });
    for (const [name, path, ...shown] of [
      ["browse", "/", ".card", ".chip small"],
      // After the chips of days and the one for any type: the first type.
      ["city", "/?location=London", ".card", ".chip >> nth=6"],
      ["event", `/events/${idOf(0)}`, ".buy-row > .button"],
      ["sold-out", `/events/${soldOut}`, ".left-none"],
      ["sign-in", "/sign-in", "form input"],
      ["not-found", "/no/such/page", ".empty"],
    ] as const) {
      await page.goto(path);
      for (const element of shown) await page.locator(element).first().waitFor();
      await compare(page, name);
    }
    await close();
  });

  it("are those of test/web/pictures, for a buyer", async () => {
    const { page, close } = await pages.open();
    await page.goto(`/register?to=/events/${idOf(1)}`);
    await registerVisitor(page);
    const button = page.getByRole("button", { name: "Buy 1 ticket" });
    await button.click();
    await page.locator(".bought").waitFor();
    await page.getByText("399 of 400 tickets left").waitFor();
    await compare(page, "bought");
    await page.goto("/tickets");
    await page.locator(".stub").first().waitFor();
    await compare(page, "tickets");
    await close();
  });

  it("differ where a page has moved by four pixels", async () => {
    const { page, close } = await pages.open({ viewport: { width: 360, height: 720 } });
    await page.goto(`/events/${idOf(0)}`);
    await page.locator(".buy-row > .button").waitFor();
    const before = await pictureOf(page);
    assert.ok(differenceOf(await pictureOf(page), before) <= SHARE_MAX, "the same page is equal");
    await page.evaluate("document.querySelector('main').style.transform = 'translateY(4px)'");
    assert.ok(differenceOf(await pictureOf(page), before) > SHARE_MAX);
    await close();
  });
});

function idOf(index: number): string {
  return `00000000-0000-4000-8000-00000000000${index}`;
}

async function pictureOf(page: Page): Promise<Picture> {
  return pixelsOf(await page.screenshot({ animations: "disabled", caret: "hide" }));
}

async function pixelsOf(png: Buffer): Promise<Picture> {
  const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** The share of pixels that differ, from 0 to 1. 1 for another size. */
function differenceOf(one: Picture, other: Picture): number {
  if (one.width !== other.width || one.height !== other.height) return 1;
  const { data, width, height } = one;
  const options = { threshold: COLOR_MAX };
  return pixelmatch(data, other.data, undefined, width, height, options) / (width * height);
}

async function keep({ data, width, height }: Picture, folder: string, file: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const image = sharp(data, { raw: { width, height, channels: 4 } });
  writeFileSync(join(folder, file), await image.png(SMALL).toBuffer());
}
