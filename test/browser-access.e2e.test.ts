// In a real browser: every page, in both themes and languages and at three widths, without a violation that axe knows, and pictures to look at (English in light, German in dark).
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { createInternalTokenMint } from "../mixins/internal-token.ts";
import { ensureDemoCatalogue, OPERATOR } from "../scripts/demo-catalogue.ts";
import { type Visitors, registerHere, startBrowser, takePicture } from "./support/browser.ts";
import { type Engine, startEngine } from "./support/engine.ts";

const THEMES = ["light", "dark"] as const;
const LANGUAGES = ["en-GB", "de-DE"] as const;
const WIDTHS = [360, 768, 1280] as const;

/** A page by the name of its picture, and what is there once it is complete. */
type Stop = { name: string; path: string; ready: string; press?: string };

describe("every page", () => {
  let engine: Engine;
  let visitors: Visitors;
  before(async () => {
    engine = await startEngine();
    const { broker } = await engine.startNode({ SERVICES: "catalog" });
    await ensureDemoCatalogue(broker, createInternalTokenMint(engine.config.internalTokenSecret)(OPERATOR), Date.now(), 1_500);
    visitors = await startBrowser(engine.url);
  });
  after(async () => {
    await visitors.close();
    await engine.close();
  });

  async function violations(page: Page): Promise<string[]> {
    // The policy allows no text to become code: the debugger's way past it is the test's only.
    await page.evaluate(axe.source);
    const found = await page.evaluate(async () => {
      const { violations: all } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
      return all.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")} ${failureSummary ?? ""}`),
      );
    });
    return found;
  }

  /** An event of the demo catalogue with an address and many places; one that is sold out. */
  async function events(): Promise<{ open: string; soldOut: string }> {
    const [row] = await engine.database.query<{ id: string }>({
      text: "SELECT id FROM event WHERE source = 'demo' AND total_capacity > 1000 AND type = 'concert' AND name !~ '[^ -ÿ]' ORDER BY date LIMIT 1",
    });
    return { open: row?.id ?? assert.fail("no such event"), soldOut: await engine.addEvent({ capacity: 0 }) };
  }

  async function buyTicket(page: Page, eventId: string): Promise<string> {
    await page.goto(`/events/${eventId}`);
    await page.locator(".buy .button-big").click();
    await page.locator(".notice-good a").first().waitFor();
    return (await page.locator(".notice-good a").first().getAttribute("href")) ?? "";
  }

  /** Who they are now is in their next token: the next page has one. */
  async function makeOperator(email: string): Promise<void> {
    await engine.database.query({ text: "UPDATE user_account SET role = 'operator' WHERE email = $1", values: [email] });
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
      { name: "event", path: `/events/${open}`, ready: ".buy .button-big" },
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
  ];

  for (const locale of LANGUAGES)
    for (const colorScheme of THEMES)
      it(`is free of what axe finds, in ${locale} and ${colorScheme}`, async () => {
        const visitor = await visitors.open({ locale, colorScheme, reducedMotion: "reduce" });
        const { page } = visitor;
        const faults: string[] = [];
        const pictured = (locale === "en-GB") === (colorScheme === "light");
        const look = async ({ name, path, ready, press }: Stop): Promise<void> => {
          for (const width of pictured ? WIDTHS : WIDTHS.slice(0, 1)) {
            await page.setViewportSize({ width, height: 900 });
            if (width === WIDTHS[0]) await page.goto(path);
            if (press !== undefined && width === WIDTHS[0]) await page.locator(press).click();
            await page.locator(ready).first().waitFor();
            const overflow = await page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            if (overflow > 0) faults.push(`${name} at ${width}: ${overflow} px too wide`);
            if (width !== 768) faults.push(...(await violations(page)).map((fault) => `${name} at ${width}: ${fault}`));
            if (pictured) await takePicture(page, `${name}-${locale.slice(0, 2)}-${colorScheme}-${width}`);
          }
        };
        for (const stop of ANONYMOUS) await look(stop);
        await page.goto("/register");
        await page.locator("form").waitFor();
        assert.equal(await page.locator("html").getAttribute("lang"), locale.slice(0, 2));
        await makeOperator(await registerHere(page));
        for (const stop of await stopsOf(page)) await look(stop);
        assert.deepEqual(faults, []);
        assert.deepEqual(
          visitor.complaints.filter((complaint) => !/404 \(Not Found\).*no\/such/.test(complaint)),
          [],
        );
        await visitor.close();
      });
});
