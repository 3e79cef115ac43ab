// Takes the pictures of docs/images from a running engine with the demo events of `npm start`:
// node_modules/.bin/node tools/web-build/pictures.ts [http://127.0.0.1:3000]
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type BrowserContextOptions, chromium, type Page } from "playwright-core";
import sharp from "sharp";
import { ROOT } from "../root.ts";
import { findBrowser } from "../testing/browser.ts";

const IMAGES = join(ROOT, "docs", "images");
const PHONE = { width: 360, height: 740 };
/** Text stays sharp, and each picture has less than 100 kB. */
const QUALITY = 82;

async function main(baseURL = "http://127.0.0.1:3000"): Promise<void> {
  const executablePath = findBrowser();
  if (executablePath === undefined) throw new Error("There is no browser: npm test installs one");
  const args = ["--disable-gpu", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])];
  const browser = await chromium.launch({ executablePath, args });
  const open = async (options: BrowserContextOptions): Promise<Page> => {
    const still = { baseURL, locale: "en-GB", timezoneId: "Europe/London" };
    const context = await browser.newContext({ ...still, reducedMotion: "reduce", ...options });
    return context.newPage();
  };

  const wide = await open({ viewport: { width: 1_120, height: 640 } });
  await wide.goto("/");
  await wide.locator(".card").first().waitFor();
  await wide.locator(".chip small").first().waitFor();
  await keep(wide, "browse");

  const phone = await open({ viewport: PHONE, deviceScaleFactor: 2 });
  // The first event that has tickets left for two.
  await phone.goto("/?type=concert");
  await phone.locator(".card:not(:has(.left)) h3 a").first().click();
  await phone.waitForURL(/\/events\//);
  const event = new URL(phone.url()).pathname;
  await phone.goto(`/register?to=${event}?quantity=2`);
  for (const [field, text] of Object.entries({
    name: "Ada Lovelace",
    email: `${randomUUID()}@example.org`,
    password: "correct horse battery staple",
  }))
    await phone.locator(`input[name="${field}"]`).fill(text);
  await phone.locator("form button:not([type=button])").click();
  const buy = phone.getByRole("button", { name: "Buy 2 tickets", disabled: false });
  await buy.waitFor();
  await keep(phone, "event");

  await buy.click();
  await phone.getByRole("button", { name: "Show tickets" }).click();
  await phone
    .getByRole("img", { name: /^QR code/ })
    .locator("path")
    .waitFor();
  await phone.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  await keep(phone, "ticket");
  await browser.close();
}

async function keep(page: Page, name: string): Promise<void> {
  await page.evaluate("document.fonts.ready.then(() => undefined)");
  const file = join(IMAGES, `${name}.webp`);
  await sharp(await page.screenshot({ animations: "disabled" }))
    .webp({ quality: QUALITY })
    .toFile(file);
  console.log(`${name}.webp`);
}

await main(process.argv[2]);
