// Browser test on a slow mobile network: bytes, requests and round trips of a first visit.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { CDPSession, Page } from "playwright-core";
import { type Pages, startPages } from "../support/http/pages.ts";

/** Chromium's preset "Fast 3G": 90 % of 1.6 Mbit/s, and 3.75 times 150 ms per request. */
const FAST_3G = {
  offline: false,
  latency: 562.5,
  downloadThroughput: (1.6e6 * 0.9) / 8,
  uploadThroughput: (750e3 * 0.9) / 8,
};
/** The page, then all that it needs in parallel. */
const ROUND_TRIPS = 2;
/** For round trips and bytes on this network. */
const NETWORK_MS_MAX = 2_000;
/** CPU time of the page's main thread. Unlike a clock, it does not count a busy machine. */
const CPU_MS_MAX = 2_000;
const REQUESTS_MAX = 10;
const BYTES_MAX = 200_000;

type Visit = {
  /** First contentful paint. `browser-first-paint` checks that it waits for the document alone. */
  paintedMs: number;
  usableMs: number;
  cpuMs: number;
  bytes: number;
  /** Of the requests before the first script: what the list is shown by. */
  earlyBytes: number;
  requests: string[];
  sentByScripts: string[];
};

describe("a first visit on fast 3G", () => {
  let pages: Pages;
  before(async () => {
    pages = await startPages({ demoEvents: 300 });
  });
  after(() => pages.close());

  /** Opens a page until `ready` is visible. Measures by the page's own clock. */
  async function visit(page: Page, path: string, ready: string): Promise<Visit> {
    const protocol = await page.context().newCDPSession(page);
    await protocol.send("Network.enable");
    await protocol.send("Performance.enable", { timeDomain: "threadTicks" });
    await protocol.send("Network.emulateNetworkConditions", FAST_3G);
    const traffic = watchRequests(protocol, pages.engine.url);
    await page.addInitScript(recordUsable(ready));
    await page.goto(path, { waitUntil: "commit" });
    await page.locator(ready).first().waitFor();
    const usableMs = await page.evaluate<number>("globalThis.usableMs");
    const paintedMs = await page.evaluate<number>(
      "performance.getEntriesByName('first-contentful-paint')[0].startTime",
    );
    const { metrics } = await protocol.send("Performance.getMetrics");
    const cpuMs = (metrics.find(({ name }) => name === "TaskDuration")?.value ?? Infinity) * 1_000;
    const visited = { paintedMs, usableMs, cpuMs, ...traffic };
    await protocol.detach();
    return visited;
  }

  for (const locale of ["en-GB", "de-DE"])
    it(`is small and takes two round trips, in ${locale}`, async (t) => {
      // Warms up the engine.
      const warm = await pages.open({ locale });
      await warm.page.goto("/");
      await warm.page.locator(".card a").first().waitFor();
      await warm.close();
      const { page, complaints, close } = await pages.open({ locale });
      const { paintedMs, usableMs, cpuMs, requests, bytes, earlyBytes, sentByScripts } =
        await visit(page, "/", ".card a");
      t.diagnostic(
        `painted after ${(paintedMs / 1_000).toFixed(2)} s, usable after ${(usableMs / 1_000).toFixed(2)} s, ${requests.length} requests, ` +
          `${(bytes / 1_000).toFixed(0)} kB, ${(earlyBytes / 1_000).toFixed(0)} of them early, ${cpuMs.toFixed(0)} ms of CPU; later ones: ${sentByScripts.join(", ")}`,
      );
      const networkMs =
        ROUND_TRIPS * FAST_3G.latency + (earlyBytes / FAST_3G.downloadThroughput) * 1_000;
      assert.ok(networkMs < NETWORK_MS_MAX, `${earlyBytes} bytes take ${networkMs} ms`);
      assert.ok(bytes < BYTES_MAX, `${bytes} bytes`);
      assert.ok(cpuMs < CPU_MS_MAX, `${cpuMs} ms of CPU`);
      assert.ok(requests.length <= REQUESTS_MAX, requests.join(", "));
      // A third round trip would be a request by a script. The filters are only suggestions.
      assert.deepEqual(
        sentByScripts.filter((path) => path !== "/api/events/filters"),
        [],
      );
      assert.deepEqual(complaints, []);
      await close();
    });

  it("takes a third round trip if the server cannot predict the request", async () => {
    const { page, close } = await pages.open();
    const { sentByScripts } = await visit(page, "/?type=concert", ".card a");
    assert.ok(
      sentByScripts.includes("/api/events?type=concert&limit=24"),
      sentByScripts.join(", "),
    );
    await close();
  });
});

/** Records requests. Those before the first script come from the page itself. */
function watchRequests(
  protocol: CDPSession,
  baseURL: string,
): Pick<Visit, "bytes" | "earlyBytes" | "requests" | "sentByScripts"> {
  let scriptsRun = false;
  const early = new Set<string>();
  const traffic = {
    bytes: 0,
    earlyBytes: 0,
    requests: [] as string[],
    sentByScripts: [] as string[],
  };
  protocol.on("Network.requestWillBeSent", ({ requestId, request, initiator }) => {
    if (!scriptsRun) early.add(requestId);
    const path = request.url.slice(baseURL.length);
    traffic.requests.push(path);
    if (scriptsRun && initiator.type === "script") traffic.sentByScripts.push(path);
  });
  protocol.on("Network.responseReceived", ({ type }) => {
    if (type === "Script") scriptsRun = true;
  });
  protocol.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    traffic.bytes += encodedDataLength;
    if (early.has(requestId)) traffic.earlyBytes += encodedDataLength;
  });
  return traffic;
}

/** Runs in the page before its scripts: records when `ready` appears. */
function recordUsable(ready: string): string {
  return `(function look() {
    if (document.querySelector(${JSON.stringify(ready)}) === null) requestAnimationFrame(look);
    else globalThis.usableMs = performance.now();
  })()`;
}
