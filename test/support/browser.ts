import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, type Page, chromium } from "playwright-core";
import { type ProblemCode, problemOf } from "../../lib/http/problem-details.ts";
import { findBrowser } from "../../tools/testing/browser.ts";
import { ROOT } from "../../tools/testing/static-checks.ts";
import { type AnswersSeen, watchAnswers } from "./browser-contract.ts";

/** Ignored by git: for people to look at. */
export const SCREENSHOTS = join(ROOT, ".data", "screenshots");

export type Window = {
  page: Page;
  /** What the console said that a page without a fault would not have made it say: errors, faults, broken policies. */
  complaints: string[];
  /** The answers of the API until now, and what is wrong with them by its own document. */
  answers: () => Promise<AnswersSeen>;
  /** Rejects where an answer was not as the document says. */
  close: () => Promise<void>;
};

export type Visitors = {
  /** A window of somebody who has never been here. */
  open(options?: BrowserContextOptions): Promise<Window>;
  close(): Promise<void>;
};

/** Real windows of a real Chromium on the pages of the engine at `baseURL`. */
export async function startBrowser(baseURL: string): Promise<Visitors> {
  const executablePath = findBrowser() ?? assert.fail("There is no browser; npm test provides one");
  const browser: Browser = await chromium.launch({
    executablePath,
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  return {
    async open(options = {}) {
      const context = await browser.newContext({
        baseURL,
        locale: "en-GB",
        timezoneId: "Europe/London",
        ...options,
      });
      context.setDefaultTimeout(20_000);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning")
          complaints.push(`${message.text()} (${message.location().url})`);
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      const answers = watchAnswers(context, baseURL);
      const close = async (): Promise<void> => {
        const { faults } = await answers();
        await context.close();
        assert.deepEqual(faults, [], "the pages are answered as the OpenAPI document says");
      };
      return { page, complaints, answers, close };
    },
    close: () => browser.close(),
  };
}

/** Takes a picture of the whole page, once its fonts and movements are done. */
export async function takePicture(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({
    path: join(SCREENSHOTS, `${name}.png`),
    fullPage: true,
    animations: "disabled",
  });
}

/** A refusal as the gateway would word it, for a route that does not ask the gateway. */
export function madeUp(code: ProblemCode): {
  status: number;
  headers: Record<string, string>;
  body: string;
} {
  const { status, headers, body } = problemOf(code, "made-up");
  return { status, headers: { ...headers, "X-Request-ID": "made-up" }, body: String(body) };
}

let people = 0;

/** Somebody registers by the form that is open, in whichever language, and is signed in. Answers their e-mail. */
export async function registerHere(page: Page, { name = "Ada Lovelace" } = {}): Promise<string> {
  const email = `visitor-${process.pid}-${(people += 1)}@example.org`;
  const fields = { name, email, password: "correct horse battery staple" };
  for (const [field, value] of Object.entries(fields))
    await page.locator(`input[name="${field}"]`).fill(value);
  await page.locator("form button").click();
  await page.locator('header a[href="/tickets"]').waitFor();
  return email;
}
