import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type BrowserContextOptions, type Page, chromium } from "playwright-core";
import { processEnvironment } from "../../../config/index.ts";
import { type ProblemCode, problemOf } from "../../../lib/http/problem-details.ts";
import { findBrowser } from "../../../tools/testing/browser.ts";
import { ROOT } from "../../../tools/root.ts";
import { type CheckedAnswers, checkAnswers } from "./browser-contract.ts";

/** Ignored by git. For review by people. */
export const SCREENSHOTS = join(ROOT, ".data", "screenshots");

/** Longest wait for one fact in a page. Generous, because test machines are busy. */
export const FACT_TIMEOUT_MS = 60_000;

/**
 * Emulating a GPU costs more than painting without one. Letters have the same pixels on each
 * machine: the system's hinting and order of subpixels do not count.
 */
const LOOKS = ["--disable-gpu", "--font-render-hinting=none", "--disable-lcd-text"];

export type BrowserWindow = {
  page: Page;
  /**
   * Warnings, errors and policy violations in the console, also a 503 without a later success of
   * the same address. Empty for a correct page.
   */
  complaints: string[];
  /** Answers of the API so far, and how they break the OpenAPI document. */
  answers: () => Promise<CheckedAnswers>;
  /** Rejects if an answer broke the OpenAPI document. */
  close: () => Promise<void>;
};

export type TestBrowser = {
  /** Opens a window with empty storage, like a first visit. */
  open(options?: BrowserContextOptions): Promise<BrowserWindow>;
  close(): Promise<void>;
};

/** Starts Chromium. Its windows open the pages of the engine at `baseURL`. */
export async function startBrowser(baseURL: string): Promise<TestBrowser> {
  const executablePath = findBrowser() ?? assert.fail("There is no browser; npm test provides one");
  const browser = await chromium.launch({
    executablePath,
    args: [...LOOKS, ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])],
    timeout: FACT_TIMEOUT_MS,
  });
  return {
    async open(options = {}) {
      const context = await browser.newContext({
        baseURL,
        locale: "en-GB",
        timezoneId: "Europe/London",
        ...options,
      });
      context.setDefaultTimeout(FACT_TIMEOUT_MS);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning")
          complaints.push(`${message.text()} (${message.location().url})`);
      });
      // A busy engine may answer 503, which Chromium logs. It is forgiven once the page has
      // recovered from it: the same address answered.
      page.on("response", (response) => {
        const busy = `status of 503 (Service Unavailable) (${response.url()})`;
        if (!response.ok()) return;
        for (let index = complaints.length - 1; index >= 0; index -= 1)
          if (complaints[index]?.endsWith(busy)) complaints.splice(index, 1);
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      const answers = checkAnswers(context, baseURL);
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

/** With --keep: takes a screenshot of the whole page, with animations finished. */
export async function takePicture(page: Page, name: string): Promise<void> {
  if (processEnvironment().KEEP_SCREENSHOTS !== "yes") return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({
    path: join(SCREENSHOTS, `${name}.png`),
    fullPage: true,
    animations: "disabled",
  });
}

/** Builds the gateway's answer for a problem, for routes that a test fulfills itself. */
export function madeUpProblem(code: ProblemCode): {
  status: number;
  headers: Record<string, string>;
  body: string;
} {
  const { status, headers, body } = problemOf(code, "made-up");
  return { status, headers: { ...headers, "X-Request-ID": "made-up" }, body: String(body) };
}

let visitorCount = 0;
const REGISTER_TRIES = 5;

/**
 * Registers a new visitor by the open form, in any language. Tries again where the page says that
 * it is busy. Returns the e-mail.
 */
export async function registerVisitor(page: Page, { name = "Ada Lovelace" } = {}): Promise<string> {
  const registered = page.locator('header a[href="/tickets"]');
  for (let tries = 1; ; tries += 1) {
    // A new address for each try: one that got no answer may be taken.
    const email = `visitor-${process.pid}-${(visitorCount += 1)}@example.org`;
    const fields = { name, email, password: "correct horse battery staple" };
    for (const [field, value] of Object.entries(fields))
      await page.locator(`input[name="${field}"]`).fill(value);
    await page.locator("form button:not([type=button])").click();
    await registered.or(page.locator("main [role=alert]")).first().waitFor();
    if ((await registered.count()) > 0) return email;
    assert.ok(tries < REGISTER_TRIES, await page.locator("main").innerText());
  }
}
