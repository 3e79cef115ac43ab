// Browser test: every page has no axe violations in both themes and languages, and fits each width.
// With --keep it takes screenshots for review: English in light, German in dark.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { RunOptions } from "axe-core";
import type { Page } from "playwright-core";
import { violations } from "../support/http/axe.ts";
import { registerVisitor, takePicture } from "../support/http/browser.ts";
import { type Pages, startPages } from "../support/http/pages.ts";

const THEMES = ["light", "dark"] as const;
const LANGUAGES = ["en-GB", "de-DE"] as const;
/** The narrowest is that of WCAG 2.2, criterion 1.4.10. */
const WIDTHS = [320, 360, 768, 1280] as const;
const AXE_AT: readonly number[] = [360, 1280];
/** The rules that depend on the theme: a theme changes colors only. */
const COLORS: RunOptions = { runOnly: ["color-contrast", "link-in-text-block"] };

/** A page by the name of its screenshot. `ready` is visible once it is complete. */
type Stop = { name: string; path: string; ready: string; press?: string };

describe("every page", () => {
  let pages: Pages;
  before(async () => {
    pages = await startPages({ demoEvents: 1_500 });
  });
  after(() => pages.close());

  /** Finds a large event of the demo catalog, and creates one that is sold out. */
  async function events(): Promise<{ open: string; soldOut: string }> {
    const [row] = await pages.engine.database.query<{ id: string }>({
      text: `
        SELECT id FROM event
        WHERE source = 'demo' AND total_capacity > 1000 AND type = 'concert' AND name !~ '[^ -ÿ]'
        ORDER BY date LIMIT 1`,
    });
    return {
      open: row?.id ?? assert.fail("no such event"),
      soldOut: await pages.engine.addEvent({ capacity: 0 }),
    };
  }

  async function buyTicket(page: Page, eventId: string): Promise<string> {
    await page.goto(`/events/${eventId}`);
    // Only an operator's restored session has this link. Until then the button leads to the
    // sign-in page.
    await page.locator('header a[href="/engine"]').waitFor();
    const button = page.locator(".buy-row > .button");
    await button.click();
    await page.locator(".notice-good").waitFor();
    await button.click();
    await page.locator(".qr").waitFor();
    return new URL(page.url()).pathname;
  }

  /** Buys two more tickets. Returns the path of their order. */
  async function buyTwo(page: Page, eventId: string): Promise<string> {
    await page.goto(`/events/${eventId}?quantity=2`);
    await page.locator('header a[href="/engine"]').waitFor();
    await page.locator(".buy-row > .button").click();
    await page.locator(".notice-good").waitFor();
    await page.goto("/tickets");
    return (await page.locator(".order-link a").first().getAttribute("href")) ?? "";
  }

  /** The role takes effect with the next token, which the next page gets. */
  async function makeOperator(email: string): Promise<void> {
    await pages.engine.database.query({
      text: "UPDATE user_account SET role = 'operator' WHERE email = $1",
      values: [email],
    });
  }

  async function stopsOf(page: Page): Promise<Stop[]> {
    const { open, soldOut } = await events();
    const kept = await buyTicket(page, open);
    const cancelled = await buyTicket(page, open);
    await page.goto(cancelled);
    await page.locator(".ticket .button-bad").click();
    await page.locator("dialog .button-bad").click();
    await page.locator(".void").waitFor();
    const order = await buyTwo(page, open);
    return [
      { name: "browse", path: "/", ready: ".card" },
      { name: "nothing-found", path: "/?name=no+such+thing+anywhere", ready: ".empty" },
      { name: "event", path: `/events/${open}`, ready: ".buy-row > .button" },
      { name: "sold-out", path: `/events/${soldOut}`, ready: ".left-none" },
      { name: "tickets", path: "/tickets", ready: ".stub" },
      { name: "tickets-cancelled", path: "/tickets?show=cancelled", ready: ".stub" },
      { name: "tickets-past", path: "/tickets?show=past", ready: ".empty" },
      { name: "ticket", path: kept, ready: ".qr" },
      { name: "cancelling", path: kept, press: ".ticket .button-bad", ready: "dialog[open]" },
      { name: "ticket-cancelled", path: cancelled, ready: ".void" },
      { name: "order", path: order, ready: ".choice input" },
      { name: "order-print", path: `${order}/print`, ready: ".qr" },
      { name: "account", path: "/account", ready: ".sessions li" },
      { name: "erasing", path: "/account", press: ".account .button-bad", ready: "dialog[open]" },
      { name: "engine", path: "/engine", ready: ".gauge" },
      { name: "not-found", path: "/no/such/page", ready: ".empty" },
    ];
  }

  const ANONYMOUS: Stop[] = [
    { name: "sign-in", path: "/sign-in?to=/tickets", ready: "form" },
    { name: "register", path: "/register", ready: "form" },
    { name: "forgot", path: "/forgot", ready: "form" },
    { name: "reset", path: `/reset#token=${"A".repeat(43)}`, ready: "form" },
    { name: "reset-failed", path: "/reset", ready: ".notice-warn" },
    { name: "confirm", path: `/confirm#token=${"A".repeat(43)}`, ready: "main .button" },
    { name: "api-docs", path: "/api/docs", ready: "details" },
  ];

  for (const locale of LANGUAGES)
    it(`has no axe violations in both themes, in ${locale}`, async () => {
      const visitor = await pages.open({ locale, reducedMotion: "reduce" });
      const { page } = visitor;
      const faults: string[] = [];
      const [theme, otherTheme] = locale === "en-GB" ? THEMES : THEMES.toReversed();
      const look = async ({ name, path, ready, press }: Stop): Promise<void> => {
        await page.emulateMedia({ colorScheme: theme });
        await page.setViewportSize({ width: WIDTHS[0], height: 900 });
        await page.goto(path);
        if (press !== undefined) await page.locator(press).click();
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 900 });
          await page.locator(ready).first().waitFor();
          const overflow = await page.evaluate<number>(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth",
          );
          if (overflow > 0) faults.push(`${name} at ${width}: ${overflow} px too wide`);
          await takePicture(page, `${name}-${locale.slice(0, 2)}-${theme}-${width}`);
          const note = async (where: string, options?: RunOptions): Promise<void> => {
            for (const fault of await violations(page, options))
              faults.push(`${name} at ${width} in ${where}: ${fault}`);
          };
          if (AXE_AT.includes(width)) await note(theme);
          if (width !== AXE_AT[0]) continue;
          await page.emulateMedia({ colorScheme: otherTheme });
          await note(otherTheme, COLORS);
          await page.emulateMedia({ colorScheme: theme });
        }
      };
      for (const stop of ANONYMOUS) await look(stop);
      await page.goto("/register");
      await page.locator("form").waitFor();
      assert.equal(await page.locator("html").getAttribute("lang"), locale.slice(0, 2));
      await makeOperator(await registerVisitor(page));
      for (const stop of await stopsOf(page)) await look(stop);
      assert.deepEqual(faults, []);
      assert.deepEqual(
        visitor.complaints.filter((complaint) => !/404 \(Not Found\).*no\/such/.test(complaint)),
        [],
      );
      await visitor.close();
    });

  it("shows the API's reference on a phone in a few screens, which open in place", async () => {
    const { page, close } = await pages.open({ viewport: { width: 320, height: 640 } });
    await page.goto("/api/docs");
    const heightOf = (): Promise<number> => page.evaluate("document.documentElement.scrollHeight");
    const closed = await heightOf();
    assert.ok(closed < 5_000, `${closed} px`);
    await page.getByText("/api/events/{eventId}/tickets", { exact: true }).first().click();
    await page.getByText("Idempotency-Key", { exact: true }).first().waitFor();
    assert.ok((await heightOf()) > closed);
    await page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))");
    const overflow = await page.evaluate<number>(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
    assert.equal(overflow, 0);
    assert.deepEqual(await violations(page), []);
    await close();
  });
});
