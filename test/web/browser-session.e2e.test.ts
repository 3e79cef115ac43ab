// Browser test: pages while the session is being restored, delayed, signed out or signed in again.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { BrowserContext, Page, Route } from "playwright-core";
import { type BrowserWindow, madeUpProblem, registerVisitor } from "../support/http/browser.ts";
import { type Pages, startPages } from "../support/http/pages.ts";
import { waitFor } from "../support/wait-for.ts";

const REFRESH = "**/api/auth/refresh";

describe("a session being restored", () => {
  let pages: Pages;
  let eventId: string;
  before(async () => {
    pages = await startPages();
  });
  beforeEach(async () => {
    eventId = await pages.engine.addEvent({ capacity: 10 });
  });
  after(() => pages.close());

  async function signedInVisitor(): Promise<BrowserWindow> {
    const visitor = await pages.open();
    await visitor.page.goto("/register");
    await registerVisitor(visitor.page);
    await visitor.page.addInitScript(recordDisabledButtons);
    return visitor;
  }

  it("asks for patience, never for a sign-in that it disables", async () => {
    const { page, close } = await signedInVisitor();
    const { release } = await holdRefresh(page.context());
    await page.goto(`/events/${eventId}`);
    await page.getByRole("button", { name: "Checking your sign-in…", disabled: true }).waitFor();
    release();
    await page.getByRole("button", { name: "Buy 1 ticket" }).waitFor();
    await assertNoDisabledSignIn(page);
    await close();
  });

  it("is retried after failures, while the visitor may choose or sign in", async () => {
    const { page, close } = await signedInVisitor();
    const answers = await answerRefresh(page.context(), ["TRY_AGAIN", "reset", "INTERNAL"]);
    await page.goto(`/events/${eventId}`);
    await page.getByText(/^We can’t confirm your sign-in yet/).waitFor();
    await page.getByRole("button", { name: "Sign in to buy", disabled: false }).waitFor();
    for (const quantity of [2, 3]) {
      await page.getByRole("button", { name: "More tickets" }).click();
      await page.getByRole("group", { name: "How many" }).getByText(`${quantity}`).waitFor();
    }
    await page.getByRole("button", { name: "Buy 3 tickets" }).waitFor();
    assert.equal(answers.left(), 0, "all failures came before the success");
    await assertNoDisabledSignIn(page);
    await close();
  });

  it("offers the sign-in when the gateway stays silent, and continues after it", async () => {
    const { page, close } = await signedInVisitor();
    const { release, held } = await holdRefresh(page.context());
    await page.goto(`/events/${eventId}?quantity=2`);
    await page.getByRole("button", { name: "Sign in to buy", disabled: false }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.waitForURL(/\/sign-in\?to=/);
    assert.equal(held(), 1, "one request is in flight");
    release();
    await page.waitForURL(new RegExp(`/events/${eventId}\\?quantity=2$`));
    await page.getByRole("button", { name: "Buy 2 tickets" }).waitFor();
    await assertNoDisabledSignIn(page);
    await close();
  });

  it("shows pages of the account as soon as it is there, without a reload", async () => {
    const { page, close } = await signedInVisitor();
    await answerRefresh(page.context(), ["TRY_AGAIN", "TRY_AGAIN"]);
    await page.goto("/account");
    await page.getByText(/^We can’t confirm your sign-in yet/).waitFor();
    await page.getByRole("link", { name: "Sign in" }).waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: "Account" }).waitFor();
    await close();
  });

  it("ends with a sign-in where the gateway refuses the cookie or the request", async () => {
    for (const code of ["REFRESH_TOKEN_INVALID", "CSRF_REFUSED"] as const) {
      const { page, close } = await signedInVisitor();
      await answerRefresh(page.context(), [code]);
      await page.goto(`/events/${eventId}`);
      await page.getByRole("button", { name: "Sign in to buy", disabled: false }).click();
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      await assertNoDisabledSignIn(page);
      await close();
    }
  });

  it("stays ended when a refresh in flight succeeds after the sign-out", async () => {
    const { page, close } = await signedInVisitor();
    const other = await page.context().newPage();
    await page.goto(`/events/${eventId}`);
    await page.getByRole("button", { name: "Buy 1 ticket" }).waitFor();
    // The first page forgets its token, so that the second one has to refresh.
    await page.goto("about:blank");
    const { release, held } = await holdRefresh(page.context());
    await other.goto(`/events/${eventId}`);
    await waitFor(() => held() === 1);
    await other.evaluate(
      'new BroadcastChannel("boxoffice.session").postMessage({ type: "signed-out" })',
    );
    await other.getByRole("button", { name: "Sign in to buy", disabled: false }).waitFor();
    const refreshed = other.waitForResponse(REFRESH);
    release();
    await (await refreshed).finished();
    await other.reload();
    await other.getByRole("button", { name: "Sign in to buy", disabled: false }).waitFor();
    assert.equal(held(), 1, "a page that is signed out does not refresh");
    await close();
  });
});

/** Answers each refresh in turn. Later ones pass. */
async function answerRefresh(
  context: BrowserContext,
  outcomes: (Parameters<typeof madeUpProblem>[0] | "reset")[],
): Promise<{ left: () => number }> {
  await context.route(REFRESH, async (route: Route) => {
    const outcome = outcomes.shift();
    if (outcome === undefined) await route.continue();
    else if (outcome === "reset") await route.abort("connectionreset");
    else await route.fulfill(madeUpProblem(outcome));
  });
  return { left: () => outcomes.length };
}

/** Delays every refresh until `release`. */
async function holdRefresh(
  context: BrowserContext,
): Promise<{ release: () => void; held: () => number }> {
  const released = Promise.withResolvers<undefined>();
  let held = 0;
  await context.route(REFRESH, async (route: Route) => {
    held += 1;
    await released.promise;
    // The page may be gone by now.
    await route.continue().catch(() => undefined);
  });
  return { release: () => released.resolve(undefined), held: () => held };
}

/** Runs in the page: records the texts of all disabled buttons over time. */
const recordDisabledButtons = `
  globalThis.disabledTexts = new Set();
  new MutationObserver(() => {
    for (const button of document.querySelectorAll("button[aria-disabled=true], button:disabled"))
      globalThis.disabledTexts.add(button.textContent.trim());
  }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });`;

async function assertNoDisabledSignIn(page: Page): Promise<void> {
  const texts = await page.evaluate<string[]>("[...globalThis.disabledTexts]");
  assert.ok(!texts.includes("Sign in to buy"), texts.join());
}
