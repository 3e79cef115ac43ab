import { globSync } from "node:fs";
import { basename, join } from "node:path";
import react from "@vitejs/plugin-react";
import { bundle } from "lightningcss";
import { defineConfig, type Plugin } from "vite";

/** Names of widths, `breakpoints.css`. */
const DRAFTS = { customMedia: true };
/** Lightning CSS resolves names for given browsers only: those of ES2022. */
const TARGETS = { chrome: 94 << 16, firefox: 93 << 16, safari: 16 << 16 };

/**
 * Builds the web app; `tools/web-build/` runs it for production. To develop pages, run `npm start`
 * and `npx vite public`: Vite applies changes at once and proxies the API to the engine.
 */
export default defineConfig({
  root: import.meta.dirname,
  publicDir: "static",
  plugins: [react(), preloadApp(), paintEarly()],
  define: { __LANGUAGE_NAMES__: JSON.stringify(languageNames()) },
  css: { transformer: "lightningcss", lightningcss: { drafts: DRAFTS } },
  build: {
    target: "es2022",
    manifest: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": "http://127.0.0.1:3000" } },
});

/** Names each language in itself: browsers would load far more data for it. */
function languageNames(): Record<string, string> {
  const files = globSync(join(import.meta.dirname, "src", "locales", "*-texts.ts"));
  const tags = files.map((file) => basename(file, "-texts.ts"));
  return Object.fromEntries(
    tags.map((tag) => [tag, new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag]),
  );
}

/** Preloads the app, so that it loads in parallel with the entry script `main.ts`. */
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

/**
 * Puts the styles of the first paint into the document, and the style sheet at its end. So the
 * document's text is painted after one round trip. Scripts still wait for the style sheet.
 */
function paintEarly(): Plugin {
  return {
    name: "paint-early",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(html) {
        const [link = ""] = /<link rel="stylesheet"[^>]*>\s*/.exec(html) ?? [];
        const filename = join(import.meta.dirname, "src", "styles", "painted.css");
        const style = `<style>${bundle({ filename, minify: true, drafts: DRAFTS, targets: TARGETS }).code.toString()}</style>\n  `;
        return html
          .replace(link, () => "")
          .replace("</head>", () => `  ${style}</head>`)
          .replace("</body>", () => `  ${link.trim()}\n  </body>`);
      },
    },
  };
}
