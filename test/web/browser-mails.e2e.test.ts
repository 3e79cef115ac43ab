// Browser test of e-mails as clients show them, and of the pages that their links open.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import PostalMime, { type Email } from "postal-mime";
import type { Page } from "playwright-core";
import { type Customer, type MailShop, mailShop } from "../support/mail/mail-shop.ts";
import { violations } from "../support/http/axe.ts";
import { registerVisitor, takePicture } from "../support/http/browser.ts";
import { type Pages, startPages } from "../support/http/pages.ts";
import { waitFor } from "../support/wait-for.ts";

const LANGUAGES = ["en", "de"] as const;
const THEMES = ["light", "dark"] as const;
/** A phone, and the reading pane of a client. */
const WIDTHS = [360, 700] as const;
const NEW_PASSWORD = "nine quiet lanterns drift";

describe("e-mails in a browser", () => {
  let pages: Pages;
  let shop: MailShop;
  before(async () => {
    pages = await startPages();
    shop = mailShop(pages.engine);
  });
  after(() => pages.close());

  const mails = async (): Promise<(Email & { key: string })[]> => {
    const folder = join(pages.engine.config.dataDir, "mail");
    const files = (await readdir(folder)).filter((file) => file.endsWith(".eml"));
    return Promise.all(
      files.map(async (file) => ({
        ...(await PostalMime.parse(await readFile(join(folder, file)))),
        key: file.slice(0, -4),
      })),
    );
  };
  const linkFor = (email: string, path: string): Promise<string> =>
    waitFor(
      async () => {
        for (const { to, text } of await mails())
          if (to?.[0]?.address === email) {
            const link = new RegExp(`${path}#token=[\\w-]{43}`).exec(text ?? "")?.[0];
            if (link !== undefined) return link;
          }
        return undefined;
      },
      { withinMs: 60_000, what: `A link to ${path} has come` },
    );

  /** Changes an event as an import would, and tells its holders. */
  const change = async (eventId: string, set: string, before: object): Promise<void> => {
    await pages.engine.database.query({
      text: `WITH changed AS (UPDATE event SET ${set} WHERE id = $1 RETURNING id)
        INSERT INTO notification (dedupe_key, kind, event_id, facts)
        SELECT gen_random_uuid(), 'event-change', id, jsonb_build_object('before', $2::jsonb)
        FROM changed`,
      values: [eventId, before],
    });
  };
  const namedEvent = async (name: string): Promise<{ id: string; was: object }> => {
    const id = await pages.engine.addEvent();
    const [was] = await pages.engine.database.query({
      text: `UPDATE event SET name = $2, country = 'Germany' WHERE id = $1
        RETURNING status, (extract(epoch FROM starts_at) * 1000)::float8 AS "startsAtMs",
          duration, time_zone AS "timeZone"`,
      values: [id, name],
    });
    return { id, was: was ?? {} };
  };

  /** Makes a mail of each kind for each customer. */
  const makeAll = async (customers: readonly Customer[]): Promise<void> => {
    const gala = await namedEvent(
      "The <b>Extraordinarily</b> Long Name of an Evening of Chamber Music & Conversation",
    );
    const [moved, gone, late] = [
      await namedEvent("Riverside Festival"),
      await namedEvent("City Derby"),
      await namedEvent("Open Air Cinema"),
    ];
    for (const customer of customers) {
      const [ticket] = await shop.buy(customer, gala.id, 3);
      await shop.ask("DELETE", `/api/tickets/${ticket}`, { token: customer.token });
      for (const { id } of [moved, gone, late]) await shop.buy(customer, id, 2);
      const json = { email: customer.email };
      assert.equal((await shop.ask("POST", "/api/auth/password-reset", { json })).status, 202);
      const { token } = customer;
      assert.equal((await shop.ask("POST", "/api/auth/email-confirmation", { token })).status, 202);
    }
    const later =
      "starts_at = starts_at + interval '7 days', ends_at = ends_at + interval '7 days'";
    await change(moved.id, `${later}, date = date + 7`, moved.was);
    await change(gone.id, "status = 'cancelled'", gone.was);
    await change(late.id, "status = 'postponed'", late.was);
  };

  it("have no axe violations, fit a phone, and load nothing, in both themes", async () => {
    const customers = await Promise.all(
      LANGUAGES.map((language) => shop.addCustomer({ language })),
    );
    await makeAll(customers);
    await shop.untilDone();
    // The notices of changed events are written while the last of others are sent.
    const all = await waitFor(async () => (await mails()).length === 20 && mails(), {
      withinMs: 60_000,
      what: "20 mails are written",
    });
    const rows = await shop.rows();
    const { page, complaints, close } = await pages.open();
    const loaded: string[] = [];
    page.on("request", (request) => loaded.push(request.url()));
    const faults: string[] = [];
    const titles = new Set<string>();
    for (const { key, html, subject } of all) {
      const kind = rows.find((row) => row.key === key)?.kind ?? "?";
      for (const theme of THEMES) {
        await page.emulateMedia({ colorScheme: theme });
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 800 });
          await page.setContent(html ?? "");
          const where = `${subject} (${kind}) at ${width} in ${theme}`;
          titles.add(await page.title());
          const overflow = await page.evaluate<number>(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth",
          );
          if (overflow > 0) faults.push(`${where}: ${overflow} px too wide`);
          for (const fault of await violations(page)) faults.push(`${where}: ${fault}`);
          const name = (subject ?? "").replaceAll(/[^\w]+/g, "-").slice(0, 40);
          await takePicture(page, `mail-${name}-${theme}-${width}`);
        }
      }
    }
    assert.deepEqual(faults, []);
    assert.deepEqual(loaded, []);
    assert.deepEqual(complaints, []);
    assert.equal(titles.size, 20, "each mail says what it is about");
    await close();
  });

  it("lead from a forgotten password to a new one, which signs in", async () => {
    const { page, close } = await pages.open();
    await page.goto("/register");
    const email = await registerVisitor(page);
    await page.context().clearCookies();
    await page.evaluate("localStorage.clear()");
    await page.goto("/sign-in");
    await page.getByRole("link", { name: "Forgot your password?" }).click();
    await page.getByRole("heading", { name: "Forgot your password?" }).waitFor();
    await fill(page, { email });
    await page.getByText(/If there’s an account for/).waitFor();
    await page.goto(await linkFor(email, "/reset"));
    await fill(page, { password: "passwordpassword" });
    await page.getByText(/too easy to guess/).waitFor();
    await fill(page, { password: NEW_PASSWORD });
    await page.getByText(/Your new password is set/).waitFor();
    await page.locator("main").getByRole("link", { name: "Sign in" }).click();
    await fill(page, { email, password: NEW_PASSWORD });
    await page.locator('header a[href="/tickets"]').waitFor();
    // The link was used.
    await page.goto("/");
    await page.goto(await linkFor(email, "/reset"));
    await fill(page, { password: "another four quiet words" });
    await page.getByText(/has already been used/).waitFor();
    await close();
  });

  it("confirm an address, which ends the notice, and can be switched off", async () => {
    const { page, close } = await pages.open({ locale: "de-DE" });
    await page.goto("/register");
    const email = await registerVisitor(page);
    await page.goto("/account");
    await page.getByText(`Bitte bestätigen Sie ${email}`).waitFor();
    await page.getByRole("button", { name: "Noch einmal senden" }).click();
    await page.getByText("Ein neuer Link ist unterwegs.").waitFor();
    const receipt = page.getByLabel("wenn ich Tickets gekauft habe");
    const stored = page.waitForResponse(
      (answer) => answer.url().endsWith("/preferences") && answer.request().method() === "POST",
    );
    await receipt.uncheck();
    await stored;
    await page.reload();
    await receipt.waitFor();
    assert.equal(await receipt.isChecked(), false);
    await page.goto(await linkFor(email, "/confirm"));
    await page.getByRole("button", { name: "Diese Adresse bestätigen" }).click();
    await page.getByText("Danke, Ihre E-Mail-Adresse ist bestätigt.").waitFor();
    await page.goto("/account");
    await receipt.waitFor();
    assert.equal(await page.getByText(`Bitte bestätigen Sie`).count(), 0);
    await close();
  });
});

async function fill(page: Page, fields: Record<string, string>): Promise<void> {
  for (const [field, value] of Object.entries(fields))
    await page.locator(`input[name="${field}"]`).fill(value);
  await page.locator("form button:not([type=button])").click();
}
