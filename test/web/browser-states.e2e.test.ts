// Browser test: pages that load, fail or wait have no axe violations, and say what goes on.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { violations } from "../support/http/axe.ts";
import { madeUpProblem, registerVisitor, takePicture } from "../support/http/browser.ts";
import { forgetTickets, keptTickets } from "../support/http/kept-tickets.ts";
import { type Pages, startPages } from "../support/http/pages.ts";
import { waitFor } from "../support/wait-for.ts";

describe("a page that is not complete", () => {
  let pages: Pages;
  before(async () => {
    pages = await startPages({ demoEvents: 100 });
  });
  after(() => pages.close());

  /** A page whose requests matching `hold` are not answered as usual. */
  type State = {
    name: string;
    path: string;
    hold: string;
    how: "silence" | "busy" | "no network";
    ready: string | RegExp;
    /** The device keeps no tickets. */
    keepsNone?: true;
  };

  it("shows loading and failure states without axe violations", async () => {
    const open = await pages.engine.addEvent();
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
        ready: /No answer yet. Still trying/,
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
        ready: /It’s very busy right now/,
      },
      {
        name: "tickets-kept",
        path: "/tickets",
        hold: "**/api/auth/refresh",
        how: "busy",
        ready: /^As of/,
      },
      {
        name: "tickets-loading",
        path: "/tickets",
        hold: "**/api/tickets?*",
        how: "silence",
        ready: ".loading",
        keepsNone: true,
      },
      {
        name: "event-delayed",
        path: `/events/${open}`,
        hold: "**/api/auth/refresh",
        how: "busy",
        ready: /We can’t confirm your sign-in yet/,
      },
      {
        name: "tickets-delayed",
        path: "/tickets",
        hold: "**/api/auth/refresh",
        how: "busy",
        keepsNone: true,
        ready: /We can’t confirm your sign-in yet/,
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
      // It would answer with the script that it keeps.
      serviceWorkers: "block",
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
    await waitFor(async () => (await keptTickets(page)) !== undefined);
    for (const { name, path, hold, how, ready, keepsNone = false } of states) {
      if (keepsNone) await forgetTickets(page);
      await page.route(hold, async (route) => {
        if (how === "busy") await route.fulfill(madeUpProblem("TRY_AGAIN"));
        else if (how === "no network") await route.abort("connectionreset");
      });
      await page.goto(path);
      await look(name, ready);
      await page.unroute(hold);
    }
    await pages.engine.database.query({
      text: "UPDATE user_account SET role = 'operator' WHERE email = $1",
      values: [email],
    });
    await page.route("**/assets/later-pages-*.js", (route) => route.abort("connectionreset"));
    await page.goto("/engine");
    await look("fault", "section.empty[role=alert]");
    await page.unroute("**/assets/later-pages-*.js");
    await page.getByRole("button", { name: "Reload page" }).click();
    await page.locator(".gauge").first().waitFor();
    assert.deepEqual(faults, []);
    await close();
  });
});
