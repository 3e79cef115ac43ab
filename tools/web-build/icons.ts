// Draws public/static/icons from the mark, favicon.svg. Run it after a change of the mark:
// node_modules/.bin/node tools/web-build/icons.ts
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { findBrowser } from "../testing/browser.ts";
import { PUBLIC } from "./sources.ts";

const STATIC = join(PUBLIC, "static");
const PAPER = "#faf6ee";
/** `share`: of the mark in the width. Launchers may cut a maskable icon to the inner 80 %. */
const ICONS = [
  { name: "192", size: 192, share: 1, ground: "transparent" },
  { name: "512", size: 512, share: 1, ground: "transparent" },
  { name: "maskable-512", size: 512, share: 0.62, ground: PAPER },
  { name: "apple-touch-180", size: 180, share: 0.8, ground: PAPER },
] as const;

async function main(): Promise<void> {
  const mark = readFileSync(join(STATIC, "favicon.svg")).toString("base64");
  mkdirSync(join(STATIC, "icons"), { recursive: true });
  const executablePath = findBrowser();
  if (executablePath === undefined) throw new Error("There is no browser: npm test installs one");
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath, args });
  const page = await browser.newPage();
  for (const { name, size, share, ground } of ICONS) {
    await page.setViewportSize({ width: size, height: size });
    await page.setContent(
      `<body style="margin:0;height:100vh;display:grid;place-items:center;background:${ground}">` +
        `<img width="${Math.round(size * share)}" src="data:image/svg+xml;base64,${mark}">`,
    );
    const path = join(STATIC, "icons", `${name}.png`);
    await page.screenshot({ path, omitBackground: true });
  }
  await browser.close();
}

await main();
