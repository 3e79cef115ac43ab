import { readdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import type { Manifest } from "./budget.ts";
import { PUBLIC } from "./sources.ts";

const SOURCE = join(PUBLIC, "src", "offline", "service-worker.ts");
/** Operators need the network: their page is not kept for times without. */
const ONLINE_ONLY = ["src/engine/engine-page.tsx"];

/**
 * Builds the service worker into `folder` as `/sw.js`. It keeps the page, in the version that
 * `release` names, and the build's files.
 */
export async function buildServiceWorker(
  folder: string,
  manifest: Manifest,
  release: string,
): Promise<void> {
  const left = ONLINE_ONLY.map((source) => manifest[source]?.file);
  const assets = readdirSync(join(folder, "assets")).map((name) => `assets/${name}`);
  const files = assets.filter((file) => !/\.(?:br|gz)$/.test(file) && !left.includes(file));
  const precache = [
    { url: "/tickets", revision: release },
    ...files.map((file) => ({ url: `/${file}`, revision: null })),
  ];
  await build({
    configFile: false,
    root: PUBLIC,
    publicDir: false,
    logLevel: "error",
    define: { __PRECACHE__: JSON.stringify(precache) },
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: "es2022",
      rolldownOptions: { input: SOURCE, output: { format: "iife", entryFileNames: "sw.js" } },
    },
  });
}
