import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Reply } from "../../../lib/http/problem-details.ts";
import { type Encoding, encodingOf, isKnown } from "../http/compression.ts";
import { hasPainter } from "../pages/painted-pages.ts";
import { createWebPages, type PagesFile, type WebPagesDeps } from "../pages/web-pages.ts";
import type { PlainResource } from "./health.routes.ts";

export type WebApp = {
  /** Its files, and its pages, each of which is the app itself. */
  resources: PlainResource[];
  /** The app with status 404 for a browser at an unknown address; undefined for other clients. */
  notFound(request: IncomingMessage): Promise<Reply | undefined>;
};

const DIST = fileURLToPath(new URL("../../../public/dist", import.meta.url));
const TYPES: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
};
const SERVICE_WORKER = "sw.js";
/** It loads files and pages of the same origin, and no script. */
const WORKER_POLICY = "default-src 'none'; connect-src 'self'";
/** File names carry a hash of the content, or the version of a font. */
const LASTING = /^(?:assets|fonts)\//;
export const IMMUTABLE = "public, max-age=31536000, immutable";
const ONE_HOUR = "public, max-age=3600";
const NOT_PAGES = /^\/(?:api|assets|fonts|images|\.well-known)(?:\/|$)/;

/**
 * Reads the built web app: files with their compressed forms, and `pages.json`, which names the
 * pages. Undefined if it is not built.
 */
export function readWebApp(deps: WebPagesDeps, folder = DIST): WebApp | undefined {
  if (!existsSync(join(folder, "pages.json")) || !hasPainter(folder)) return undefined;
  const file = JSON.parse(readFileSync(join(folder, "pages.json"), "utf8")) as PagesFile;
  const pages = createWebPages(folder, file, deps);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (path) => extname(path) in TYPES && !path.startsWith("."),
  );
  return {
    resources: [
      ...pages.resources,
      ...files.map((path) => {
        const file = readFile(folder, path, headersOf(path));
        return {
          path: `/${path}`,
          answer: async (_id: string, request: IncomingMessage) => file(request),
        };
      }),
    ],
    async notFound(request) {
      const isBrowser =
        (request.method === "GET" || request.method === "HEAD") &&
        request.headers.accept?.includes("text/html");
      return isBrowser && !NOT_PAGES.test(request.url ?? "") ? pages.lost(request) : undefined;
    },
  };
}

/** A browser must see a new service worker at once: it names the files of its release. */
function headersOf(path: string): Record<string, string> {
  if (path === SERVICE_WORKER)
    return { "Cache-Control": "no-cache", "Content-Security-Policy": WORKER_POLICY };
  return { "Cache-Control": LASTING.test(path) ? IMMUTABLE : ONE_HOUR };
}

/** Holds one file and its compressed forms, if any, in memory. Replies 304 if the client has it. */
function readFile(
  folder: string,
  path: string,
  headers: Record<string, string>,
): (request: IncomingMessage) => Reply {
  const bytes = (ending = ""): Uint8Array => readFileSync(join(folder, path + ending));
  const body = bytes();
  const encoded: Record<Encoding, Uint8Array> | undefined = existsSync(join(folder, `${path}.br`))
    ? { br: bytes(".br"), gzip: bytes(".gz") }
    : undefined;
  // Weak, since compressed bytes are other bytes of the same file.
  const etag = `W/"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  const common = {
    "Content-Type": TYPES[extname(path)] ?? "application/octet-stream",
    ETag: etag,
    ...headers,
  };
  return (request) => {
    if (isKnown(request.headers["if-none-match"], etag))
      return { status: 304, headers: common, body: "" };
    const encoding = encodingOf(request.headers["accept-encoding"], body);
    if (encoding === undefined || encoded === undefined)
      return { status: 200, headers: common, body };
    return {
      status: 200,
      headers: { ...common, "Content-Encoding": encoding },
      body: encoded[encoding],
    };
  };
}
