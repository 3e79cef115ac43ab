import { readdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { PUBLIC } from "./sources.ts";

const SOURCE = join(PUBLIC, "src", "offline", "service-worker.ts");

/**
 * Builds the service worker into `folder` as `/sw.js`. It keeps the page, in the version that
 * `release` names, and the build's files.
 */
export async function buildServiceWorker(folder: string, release: string): Promise<void> {
  const named = ["assets", "fonts"].flatMap((inside) =>
    readdirSync(join(folder, inside)).map((name) => `${inside}/${name}`),
  );
  const files = named.filter((file) => !/\.(?:br|gz|txt)$/.test(file));
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
