// In a real browser behind a slow mobile network: what a first visit costs, and when its events are there. The figures are printed; README has them.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { createInternalTokenMint } from "../mixins/internal-token.ts";
import { ensureDemoCatalogue, OPERATOR } from "../scripts/demo-catalogue.ts";
import { type Visitors, startBrowser } from "./support/browser.ts";
import { type Engine, startEngine } from "./support/engine.ts";

/** Chromium's own "Fast 3G": 1.6 Mbit/s less a tenth, and 150 ms times 3.75 for every request. */
const FAST_3G = { offline: false, latency: 562.5, downloadThroughput: (1.6e6 * 0.9) / 8, uploadThroughput: (750e3 * 0.9) / 8 };
const BYTES_MAX = 160_000;
const REQUESTS_MAX = 9;
/** Two seconds on a quiet machine; this bound is for one that is busy with other tests as well. */
const USABLE_MS = 5_000;

type Visit = { usableMs: number; requests: number; bytes: number };

describe("a first visit on fast 3G", () => {
  let engine: Engine;
  let visitors: Visitors;
  before(async () => {
    engine = await startEngine();
    const { broker } = await engine.startNode({ SERVICES: "catalog" });
    await ensureDemoCatalogue(broker, createInternalTokenMint(engine.config.internalTokenSecret)(OPERATOR), Date.now(), 300);
    visitors = await startBrowser(engine.url);
  });
  after(async () => {
    await visitors.close();
    await engine.close();
  });

  async function visit(page: Page, path: string, ready: string): Promise<Visit> {
    const protocol = await page.context().newCDPSession(page);
    await protocol.send("Network.enable");
    await protocol.send("Network.emulateNetworkConditions", FAST_3G);
    const seen = { requests: 0, bytes: 0 };
    protocol.on("Network.loadingFinished", ({ encodedDataLength }) => {
      seen.requests += 1;
      seen.bytes += encodedDataLength;
    });
    const began = performance.now();
    await page.goto(path, { waitUntil: "commit" });
    await page.locator(ready).first().waitFor();
    const usableMs = performance.now() - began;
    const visited = { usableMs, ...seen };
    await protocol.detach();
    return visited;
  }

  for (const locale of ["en-GB", "de-DE"])
    it(`is small and soon usable, in ${locale}`, async (t) => {
      // The first answers of an engine that has just started are its own matter.
      const warm = await visitors.open({ locale });
      await warm.page.goto("/");
      await warm.page.locator(".card a").first().waitFor();
      await warm.close();
      const { page, close } = await visitors.open({ locale });
      const { usableMs, requests, bytes } = await visit(page, "/", ".card a");
      t.diagnostic(`usable after ${(usableMs / 1_000).toFixed(2)} s, ${requests} requests, ${(bytes / 1_000).toFixed(0)} kB`);
      assert.ok(bytes < BYTES_MAX, `${bytes} bytes`);
      assert.ok(requests <= REQUESTS_MAX, `${requests} requests`);
      assert.ok(usableMs < USABLE_MS, `${usableMs} ms`);
      await close();
    });
});
