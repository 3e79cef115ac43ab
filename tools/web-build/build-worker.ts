import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { prefetchPath } from "../../public/src/prefetch.ts";
import { PATHS } from "../../public/src/paths.ts";
import { messageOf } from "../dev-servers/server-problem.ts";
import { ROOT } from "../root.ts";
import { BUDGET_BYTES, type Manifest, firstLoad } from "./budget.ts";
import { compressFolder } from "./compress.ts";
import { buildServiceWorker } from "./service-worker.ts";
import { DIST, PUBLIC, stampFile, stampOfSources } from "./sources.ts";

/**
 * Builds the web app in another folder and renames it to public/dist, so that a failed or second
 * build leaves a complete one. Writes pages.json and compressed files for the gateway. Throws where
 * the first load exceeds its budget.
 */
async function main(): Promise<string> {
  const stamp = stampOfSources();
  const folder = join(ROOT, "node_modules", ".cache", "boxoffice", `web-app-${process.pid}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    await build({
      configFile: join(PUBLIC, "vite.config.ts"),
      logLevel: "error",
      build: { outDir: folder, emptyOutDir: true },
    });
    await buildPainter(join(folder, "server"));
    const manifest = JSON.parse(
      readFileSync(join(folder, ".vite", "manifest.json"), "utf8"),
    ) as Manifest;
    await buildServiceWorker(folder, stamp);
    const sizes = await compressFolder(folder);
    const { files, bytes } = firstLoad(
      manifest,
      ["index.html", "src/app.tsx"],
      (file) => sizes.get(file)?.gzip ?? Infinity,
    );
    if (bytes > BUDGET_BYTES)
      throw new Error(
        `The first load is ${bytes} bytes of JavaScript (gzip), the budget ${BUDGET_BYTES}: ${files.join(", ")}`,
      );
    writeFileSync(
      join(folder, "pages.json"),
      JSON.stringify({ pages: pages(), texts: textsIn(manifest) }),
    );
    writeFileSync(stampFile(folder), stamp);
    replaceDist(folder);
    return `${(bytes / 1_000).toFixed(0)} kB of JavaScript at first (gzip) of ${BUDGET_BYTES / 1_000}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds the module by which the gateway paints pages before their script runs. */
async function buildPainter(outDir: string): Promise<void> {
  await build({
    configFile: join(PUBLIC, "vite.config.ts"),
    logLevel: "error",
    publicDir: false,
    ssr: { noExternal: true },
    build: {
      ssr: join(PUBLIC, "src", "server", "pages.tsx"),
      outDir,
      manifest: false,
      rolldownOptions: { output: { format: "cjs", entryFileNames: "pages.cjs" } },
    },
  });
}

/** Returns each page's address, and the API request that it sends first. */
function pages(): { path: string; asks?: string }[] {
  return Object.values(PATHS).map((path) => {
    const asks = prefetchPath({ pathname: path, search: "" });
    return { path, ...(asks !== undefined && { asks }) };
  });
}

/** Returns the files of texts by language. */
function textsIn(manifest: Manifest): Record<string, string> {
  const texts = Object.entries(manifest).map(
    ([source, { file }]) => [/\/(\w+)-texts\.ts$/.exec(source)?.[1] ?? "", `/${file}`] as const,
  );
  return Object.fromEntries(texts.filter(([language]) => language !== ""));
}

function replaceDist(folder: string): void {
  const old = `${folder}-old`;
  try {
    renameSync(DIST, old);
  } catch {
    // No earlier build.
  }
  renameSync(folder, DIST);
  rmSync(old, { recursive: true, force: true });
}

main().then(console.log, (error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
