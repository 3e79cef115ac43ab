import type { Environment } from "../../../config/index.ts";
import { ensureDemoCatalog } from "../../../tools/demo/ensure-demo-catalog.ts";
import { startBrowser, type TestBrowser } from "./browser.ts";
import { type Engine, startEngine } from "../engine.ts";

export type Pages = {
  engine: Engine;
  open: TestBrowser["open"];
  /** Closes the browser, then the engine. */
  close(): Promise<void>;
};

/** Starts an engine with `demoEvents` events, and a browser on its pages. */
export async function startPages({
  demoEvents = 0,
  environment,
}: { demoEvents?: number; environment?: Environment } = {}): Promise<Pages> {
  const engine = await startEngine(environment);
  try {
    if (demoEvents > 0) await fillCatalog(engine, demoEvents);
    const browser = await startBrowser(engine.url);
    return {
      engine,
      open: (options) => browser.open(options),
      async close() {
        await browser.close();
        await engine.close();
      },
    };
  } catch (error) {
    // An engine left open would keep the test process alive.
    await engine.close();
    throw error;
  }
}

async function fillCatalog(engine: Engine, count: number): Promise<void> {
  const { broker } = await engine.startNode({ SERVICES: "catalog" });
  await ensureDemoCatalog(broker, engine.config, { count });
}
