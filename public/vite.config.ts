import { globSync } from "node:fs";
import { basename, join } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/**
 * `tools/web-build/` builds with this for production. For work on the pages: `npm start`, and beside it `npx vite public`, which shows
 * changes at once and passes the API through to the engine.
 */
export default defineConfig({
  root: import.meta.dirname,
  publicDir: "static",
  plugins: [react(), preloadApp()],
  define: { __LANGUAGE_NAMES__: JSON.stringify(languageNames()) },
  build: {
    target: "es2022",
    manifest: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": "http://127.0.0.1:3000" } },
});

/** By its tag, as its own speakers call it. */
function languageNames(): Record<string, string> {
  const files = globSync(join(import.meta.dirname, "src", "locales", "*-texts.ts"));
  const tags = files.map((file) => basename(file, "-texts.ts"));
  return Object.fromEntries(
    tags.map((tag) => [tag, new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag]),
  );
}

/** `main.ts` asks for data and texts before the app is there; the browser loads the app beside it rather than after it. */
function preloadApp(): Plugin {
  return {
    name: "preload-app",
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle }) {
        const app = Object.values(bundle ?? {}).find(
          (chunk) => chunk.type === "chunk" && chunk.name === "app",
        );
        return (
          app && [
            {
              tag: "link",
              attrs: { rel: "modulepreload", crossorigin: true, href: `/${app.fileName}` },
              injectTo: "head",
            },
          ]
        );
      },
    },
  };
}
