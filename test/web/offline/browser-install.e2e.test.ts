// Browser test of the installed app: the manifest, the service worker, and a new release.
import assert from "node:assert/strict";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { DIST } from "../../../tools/web-build/sources.ts";
import { startBrowser, type TestBrowser } from "../../support/http/browser.ts";
import { startLoneGateway } from "../../support/fixtures/lone-gateway.ts";
import { waitFor } from "../../support/wait-for.ts";

const NEXT_APP = "assets/app-next-release.js";

describe("the installed app", () => {
  let gateway: Awaited<ReturnType<typeof startLoneGateway>>;
  let browser: TestBrowser;
  const next = mkdtempSync(join(tmpdir(), "boxoffice-release-"));
  before(async () => {
    gateway = await startLoneGateway();
    browser = await startBrowser(gateway.url);
  });
  after(async () => {
    await browser.close();
    await gateway.stop();
    rmSync(next, { recursive: true });
  });

  it("can be installed: a valid manifest, icons, and a service worker in control", async () => {
    const { page, close } = await browser.open();
    await controlledPage(page);
    const protocol = await page.context().newCDPSession(page);
    const manifest = await protocol.send("Page.getAppManifest");
    assert.deepEqual(manifest.errors, []);
    assert.match(manifest.url, /\/manifest\.webmanifest$/);
    const { installabilityErrors } = await protocol.send("Page.getInstallabilityErrors");
    // Windows of tests are private ones.
    const errors = installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito");
    assert.deepEqual(errors, []);
    const { icons } = JSON.parse(manifest.data ?? "") as { icons: { src: string }[] };
    for (const { src } of icons) {
      const icon = await fetch(gateway.url + src);
      assert.deepEqual([icon.status, icon.headers.get("content-type")], [200, "image/png"]);
    }
    await close();
  });

  it("keeps its policy: only its own worker, and no other text becomes code", async () => {
    const policy = (await fetch(gateway.url)).headers.get("content-security-policy") ?? "";
    assert.match(policy, /worker-src 'self'; manifest-src 'self'/);
    assert.match(policy, /require-trusted-types-for 'script'; trusted-types service-worker$/);
    const first = await fetch(`${gateway.url}/tickets`);
    const again = await fetch(`${gateway.url}/tickets`, {
      headers: { "If-None-Match": first.headers.get("etag") ?? "" },
    });
    assert.equal(again.status, 304);
    assert.equal(again.headers.get("content-security-policy"), policy, "a 304 replaces headers");
    const worker = await fetch(`${gateway.url}/sw.js`);
    assert.equal(worker.headers.get("cache-control"), "no-cache");
    assert.equal(
      worker.headers.get("content-security-policy"),
      "default-src 'none'; connect-src 'self'",
    );
    const { page, close } = await browser.open();
    await page.goto("/");
    const attempt = (script: string): Promise<string> =>
      page.evaluate(`Promise.resolve().then(() => ${script}).then(() => "allowed", (e) => e.name)`);
    await page.locator("h1").first().waitFor();
    assert.equal(await attempt(`navigator.serviceWorker.register("/sw.js?other")`), "TypeError");
    assert.equal(await attempt(`trustedTypes.createPolicy("another", {})`), "TypeError");
    await close();
  });

  it("shows a new release at the next visit, keeps it, and drops the last one", async () => {
    const { page, close } = await browser.open();
    const app = await controlledPage(page);
    assert.ok(await isKept(page, app), "the first release is kept");
    nextRelease(next, app);
    const port = new URL(gateway.url).port;
    await gateway.stop();
    gateway = await startLoneGateway([], { port, webAppFolder: next });
    await page.reload();
    assert.equal(await appOf(page), NEXT_APP);
    await waitFor(async () => (await isKept(page, NEXT_APP)) && !(await isKept(page, app)));
    await page.context().setOffline(true);
    await page.goto("/account");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    assert.equal(await appOf(page), NEXT_APP);
    await close();
  });
});

/** Opens a page until the service worker controls it. Returns the file of the app. */
async function controlledPage(page: Page): Promise<string> {
  await page.goto("/");
  await page.evaluate("navigator.serviceWorker.ready");
  await waitFor(() => page.evaluate<boolean>("navigator.serviceWorker.controller !== null"));
  return appOf(page);
}

async function appOf(page: Page): Promise<string> {
  const link = page.locator('link[rel=modulepreload][href*="/app-"]').first();
  return ((await link.getAttribute("href")) ?? "").slice(1);
}

/** Whether the service worker keeps a file. */
function isKept(page: Page, file: string): Promise<boolean> {
  return page.evaluate<boolean>(`caches.match("/${file}").then((found) => found !== undefined)`);
}

/** Makes another release of the built web app: a file has another name, and all that name it. */
function nextRelease(folder: string, app: string): void {
  cpSync(DIST, folder, { recursive: true });
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const file = join(folder, path);
    if (/\.(?:br|gz)$/.test(path)) rmSync(file);
    else if (/\.(?:js|html|json|css)$/.test(path))
      writeFileSync(
        file,
        readFileSync(file, "utf8")
          .replaceAll(app, NEXT_APP)
          .replaceAll(app.slice("assets/".length), NEXT_APP.slice("assets/".length))
          .replace(/(url:`\/tickets`,revision:`)\w+/, "$1next-release"),
      );
  }
  renameSync(join(folder, app), join(folder, NEXT_APP));
}
