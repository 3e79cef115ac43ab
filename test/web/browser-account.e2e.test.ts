// Browser test of the forms of an account, and of the end of a session.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { registerVisitor } from "../support/http/browser.ts";
import { type Pages, startPages } from "../support/http/pages.ts";

const PASSWORD = "correct horse battery staple";
/** The end of a session that the server knows of and the page does not. */
const REFRESH = "**/api/auth/refresh";

describe("an account's pages", () => {
  let pages: Pages;
  before(async () => {
    pages = await startPages();
  });
  after(() => pages.close());

  async function fill(page: Page, fields: Record<string, string>): Promise<void> {
    for (const [field, value] of Object.entries(fields))
      await page.locator(`input[name="${field}"]`).fill(value);
    await page.locator("form button:not([type=button])").click();
  }

  async function focusedField(page: Page): Promise<unknown> {
    return page.evaluate("document.activeElement?.getAttribute('name')");
  }

  /** How many elements say this, whatever surrounds them. */
  async function saidTimes(page: Page, text: RegExp): Promise<number> {
    return page.getByText(text).count();
  }

  it("show what the API refuses at its field, once, and focus the first", async () => {
    const { page, close } = await pages.open();
    await page.goto("/register");
    await fill(page, { name: "   ", email: "ada@localhost", password: PASSWORD });
    const [name, email] = [page.getByLabel("Name"), page.getByLabel("Email")];
    await page.getByText("Enter your name.").waitFor();
    assert.equal(await focusedField(page), "name");
    for (const [field, text] of [
      [name, "Enter your name."],
      [email, "Enter an email address, like name@example.org."],
    ] as const) {
      assert.equal(await field.getAttribute("aria-invalid"), "true");
      const described = (await field.getAttribute("aria-describedby")) ?? "";
      assert.equal(await page.locator(`[id="${described}"]`).innerText(), text);
    }
    assert.equal(await page.locator("main [role=alert]").count(), 0, "each message once");

    await fill(page, { name: "Ada", email: "ada@example.org", password: "passwordpassword" });
    await page.getByText(/^This password is too easy to guess/).waitFor();
    assert.equal(await saidTimes(page, /This password is too easy to guess/), 1);
    assert.equal(await focusedField(page), "password");
    assert.equal(await name.getAttribute("aria-invalid"), null);

    const password = page.locator("input[name=password]");
    assert.equal(await password.getAttribute("type"), "password");
    const show = page.getByRole("button", { name: "Show password" });
    await show.click();
    assert.equal(await password.getAttribute("type"), "text");
    assert.equal(await show.getAttribute("aria-pressed"), "true");
    assert.equal(await password.inputValue(), "passwordpassword");
    await close();
  });

  it("lead from a taken e-mail to the sign-in, and on to the page that was wanted", async () => {
    const { page, close } = await pages.open();
    await page.goto("/register");
    const email = await registerVisitor(page);
    await page.context().clearCookies();
    await page.evaluate("localStorage.clear()");
    await page.goto("/register?to=/tickets");
    await fill(page, { name: "Ada", email, password: PASSWORD });
    await page.getByText("An account with this email already exists.").waitFor();
    assert.equal(await saidTimes(page, /already exists/), 1);
    assert.equal(await focusedField(page), "email");
    await page.locator(".error").getByRole("link", { name: "Sign in" }).click();
    await fill(page, { email, password: PASSWORD });
    await page.getByRole("heading", { name: "My tickets" }).waitFor();

    await page.goto("/account");
    await fill(page, { currentPassword: "something else", newPassword: `${PASSWORD} two` });
    await page.getByText("That’s not your current password.").waitFor();
    assert.equal(await focusedField(page), "currentPassword");
    await close();
  });

  it("lead to the events after a sign-out, and say that it is done", async () => {
    const { page, close } = await pages.open();
    await page.goto("/register");
    await registerVisitor(page);
    await page.getByRole("link", { name: "Account" }).click();
    await page.getByText(/may keep working for up to an hour/).waitFor();
    await page.getByRole("button", { name: "Sign out everywhere" }).click();
    await page.getByRole("status").getByText("You’ve signed out.").waitFor();
    assert.equal(new URL(page.url()).pathname, "/");
    await page.getByRole("link", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "Create an account" }).click();
    await page.getByRole("heading", { name: "Create an account" }).waitFor();
    await page.getByText("You’ve signed out.").waitFor({ state: "hidden" });
    await close();
  });

  it("say why a session has ended elsewhere", async () => {
    const { page, close } = await pages.open();
    await page.goto("/register");
    await registerVisitor(page);
    // As another device ends it: this page has a token, and its next refresh is refused.
    const { status } = await page.evaluate<{ status: number }>(
      `fetch("/api/auth/logout", { method: "POST" }).then(({ status }) => ({ status }))`,
    );
    assert.equal(status, 204);
    const refused = page.waitForResponse(REFRESH);
    await page.goto("/tickets");
    assert.equal((await refused).status(), 401);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page
      .getByRole("status")
      .getByText(/Your session was ended on another device, or it expired/)
      .waitFor();
    await close();
  });

  it("never end in an error page because of a crafted address", async () => {
    const { page, complaints, close } = await pages.open();
    await page.goto("/sign-in?to=%2F.%2F%2Fexample.org%2Fx");
    await page.getByRole("link", { name: "Create an account" }).click();
    await registerVisitor(page);
    await page.getByRole("heading", { name: "What would you like to see?" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/");
    assert.deepEqual(complaints, []);
    await close();
  });

  it("give all data as a file, and delete the account after the password", async () => {
    const { page, complaints, close } = await pages.open();
    const eventId = await pages.engine.addEvent({ capacity: 3 });
    await page.goto(`/register?to=/events/${eventId}`);
    const email = await registerVisitor(page);
    await page.getByRole("button", { name: "Buy 1 ticket" }).click();
    await page.getByRole("heading", { name: "You’ve got 1 ticket" }).waitFor();
    await page.getByRole("link", { name: "Account" }).click();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download my data" }).click();
    const file = await download;
    assert.equal(file.suggestedFilename(), "boxoffice-data.json");
    const data = JSON.parse(await readFile(await file.path(), "utf8")) as {
      account: { email: string };
      tickets: object[];
    };
    assert.deepEqual([data.account.email, data.tickets.length], [email, 1]);

    await page.getByRole("button", { name: "Delete my account…" }).click();
    await page.getByText("You have 1 ticket of an upcoming event.").waitFor();
    const password = page.getByRole("dialog").locator("input[name=password]");
    await password.fill("not the password");
    await page.getByRole("button", { name: "Delete it for good" }).click();
    await page.getByText("That’s not your current password.").waitFor();
    assert.equal(await focusedField(page), "password");
    await password.fill(PASSWORD);
    await page.getByRole("button", { name: "Delete it for good" }).click();
    await page.getByText("Your account is deleted. Your tickets stay valid.").waitFor();
    await page.getByRole("link", { name: "Sign in" }).first().click();
    await fill(page, { email, password: PASSWORD });
    await page.getByText("Wrong email or password.").waitFor();
    assert.deepEqual(
      complaints.filter((text) => !text.includes("401")),
      [],
    );
    await close();
  });
});
