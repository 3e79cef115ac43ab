// Browser test: every page has no axe violations in both themes and languages, and fits each width.
// With --keep it takes screenshots for review: English in light, German in dark.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import axe, { type RunOptions } from "axe-core";
import type { Page } from "playwright-core";
import { madeUpProblem, registerVisitor, takePicture } from "../support/http/browser.ts";
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

  async function violations(page: Page, options: RunOptions = {}): Promise<string[]> {
    // The debugger may evaluate code despite the content security policy.
    if (!(await page.evaluate<boolean>("'axe' in globalThis"))) await page.evaluate(axe.source);
    return page.evaluate(
      async (given) => {
        const { violations: all } = await (globalThis as unknown as { axe: typeof axe }).axe.run(
          given,
        );
        return all.flatMap(({ id, nodes }) =>
          nodes.map(
            ({ target, failureSummary }) => `${id}: ${target.join(" ")} ${failureSummary ?? ""}`,
          ),
        );
      },
      { ...options, resultTypes: ["violations"] } satisfies RunOptions,
    );
  }

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
      { name: "account", path: "/account", ready: ".sessions li" },
      { name: "engine", path: "/engine", ready: ".gauge" },
      { name: "not-found", path: "/no/such/page", ready: ".empty" },
    ];
  }

  const ANONYMOUS: Stop[] = [
    { name: "sign-in", path: "/sign-in?to=/tickets", ready: "form" },
    { name: "register", path: "/register", ready: "form" },
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

  /** A page whose requests matching `hold` are not answered as usual. */
  type State = {
    name: string;
    path: string;
    hold: string;
    how: "silence" | "busy" | "no network";
    ready: string | RegExp;
  };

  it("shows loading and failure states without axe violations", async () => {
    const { open } = await events();
    const states: State[] = [
      {
        name: "browse-loading",
        path: "/",
        hold: "**/api/events?*",
        how: "silence",
        ready: ".cards .skeleton",
      },
      {
        name: "browse-trying",
        path: "/",
        hold: "**/api/events?*",
        how: "busy",
        ready: /No answer yet. We keep trying/,
      },
      {
        name: "browse-failed",
        path: "/",
        hold: "**/api/events?*",
        how: "no network",
        ready: /Check your connection/,
      },
      {
        name: "event-loading",
        path: `/events/${open}`,
        hold: "**/api/events/*",
        how: "silence",
        ready: ".event .skeleton",
      },
      {
        name: "event-failed",
        path: `/events/${open}`,
        hold: "**/api/events/*",
        how: "busy",
        ready: /It is very busy right now/,
      },
      {
        name: "tickets-loading",
        path: "/tickets",
        hold: "**/api/tickets?*",
        how: "silence",
        ready: ".loading",
      },
      {
        name: "event-delayed",
        path: `/events/${open}`,
        hold: "**/api/auth/refresh",
        how: "busy",
        ready: /We cannot confirm your sign-in yet/,
      },
      {
        name: "tickets-delayed",
        path: "/tickets",
        hold: "**/api/auth/refresh",
        how: "busy",
        ready: /We cannot confirm your sign-in yet/,
      },
      {
        name: "engine-closed",
        path: "/engine",
        hold: "**/api/operator/*",
        how: "silence",
        ready: /This page is for operators/,
      },
    ];
    const { page, close } = await pages.open({
      reducedMotion: "reduce",
      viewport: { width: 360, height: 800 },
    });
    const faults: string[] = [];
    await page.goto("/register");
    const email = await registerVisitor(page);
    const look = async (name: string, ready: string | RegExp): Promise<void> => {
      await (
        typeof ready === "string" ? page.locator(ready).first() : page.getByText(ready)
      ).waitFor();
      faults.push(...(await violations(page)).map((fault) => `${name}: ${fault}`));
      await takePicture(page, `${name}-360`);
    };
    for (const { name, path, hold, how, ready } of states) {
      await page.route(hold, async (route) => {
        if (how === "busy") await route.fulfill(madeUpProblem("TRY_AGAIN"));
        else if (how === "no network") await route.abort("connectionreset");
      });
      await page.goto(path);
      await look(name, ready);
      await page.unroute(hold);
    }
    await makeOperator(email);
    await page.route("**/assets/engine-page-*.js", (route) => route.abort("connectionreset"));
    await page.goto("/engine");
    await look("fault", "section.empty[role=alert]");
    await page.unroute("**/assets/engine-page-*.js");
    await page.getByRole("button", { name: "Reload the page" }).click();
    await page.locator(".gauge").first().waitFor();
    assert.deepEqual(faults, []);
    await close();
  });
});
