import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Reply } from "../../../lib/http/problem-details.ts";
import { type Encoding, encodingOf, isKnown } from "../http/compression.ts";
import type { PlainResource } from "./health.routes.ts";

export type WebApp = {
  /** Its files, and its pages, each of which is the app itself. */
  resources: PlainResource[];
  /** The app with status 404 for a browser at an unknown address; undefined for other clients. */
  notFound(request: IncomingMessage): Reply | undefined;
};

const DIST = fileURLToPath(new URL("../../../public/dist", import.meta.url));
const TYPES: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};
/** Only the app's own scripts, styles, images and requests: nothing inline, no text as code. */
const POLICY = [
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'",
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  "require-trusted-types-for 'script'; trusted-types 'none'",
].join("; ");
/** File names carry a hash of the content. */
const IMMUTABLE = "public, max-age=31536000, immutable";
const ONE_HOUR = "public, max-age=3600";
/** For readers of none of the app's languages. */
const FALLBACK_LANGUAGE = "en";
const NOT_PAGES = /^\/(?:api|assets|\.well-known)(?:\/|$)/;

/**
 * Reads the built web app: files with their compressed forms, and `pages.json`, which names the
 * pages, their first API requests and the files of texts. Undefined if it is not built.
 */
export function readWebApp(folder = DIST): WebApp | undefined {
  if (!existsSync(join(folder, "pages.json"))) return undefined;
  const page = readFile(folder, "index.html", {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": POLICY,
  });
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (path) => extname(path) in TYPES && path !== "index.html" && !path.startsWith("."),
  );
  const { pages, texts } = JSON.parse(readFileSync(join(folder, "pages.json"), "utf8")) as Pages;
  return {
    resources: [
      ...pages.map(({ path, asks }) => ({
        path,
        async answer(_id: string, request: IncomingMessage) {
          const { headers, ...reply } = page(request);
          return {
            ...reply,
            headers: {
              ...headers,
              Link: [...textsLink(texts, request), ...requestLink(path, asks, request)].join(", "),
            },
          };
        },
      })),
      ...files.map((path) => {
        const file = readFile(folder, path, {
          "Cache-Control": path.startsWith("assets/") ? IMMUTABLE : ONE_HOUR,
        });
        return {
          path: `/${path}`,
          answer: async (_id: string, request: IncomingMessage) => file(request),
        };
      }),
    ],
    notFound(request) {
      const isBrowser =
        (request.method === "GET" || request.method === "HEAD") &&
        request.headers.accept?.includes("text/html");
      if (!isBrowser || NOT_PAGES.test(request.url ?? "")) return undefined;
      const reply = page(request);
      return reply.status === 304 ? undefined : { ...reply, status: 404 };
    },
  };
}

type Pages = { pages: { path: string; asks?: string }[]; texts: Record<string, string> };

/** Preloads the texts in the browser's language, which saves a round trip. */
function textsLink(texts: Pages["texts"], { headers }: IncomingMessage): string[] {
  const preferred = (headers["accept-language"] ?? "")
    .split(",")
    .map((tag) => /^\s*([a-z]+)/i.exec(tag)?.[1]?.toLowerCase() ?? "");
  const language = preferred.find((tag) => Object.hasOwn(texts, tag)) ?? FALLBACK_LANGUAGE;
  return Object.hasOwn(texts, language) ? [`<${texts[language] ?? ""}>; rel=modulepreload`] : [];
}

/** Preloads the page's first API request, if it follows from the URL alone. */
function requestLink(
  path: string,
  asks: string | undefined,
  { url = "" }: IncomingMessage,
): string[] {
  const names = path.match(/:\w+/g) ?? [];
  const values = new RegExp(`^${path.replaceAll(/:\w+/g, "([\\w-]+)")}$`).exec(url)?.slice(1);
  if (asks === undefined || values === undefined) return [];
  const target = names.reduce((text, name, index) => text.replace(name, values[index] ?? ""), asks);
  return [`<${target}>; rel=preload; as=fetch; crossorigin`];
}

/** Holds one file and its compressed forms in memory. Replies 304 if the client has it. */
function readFile(
  folder: string,
  path: string,
  headers: Record<string, string>,
): (request: IncomingMessage) => Reply {
  const bytes = (ending = ""): Uint8Array => readFileSync(join(folder, path + ending));
  const body = bytes();
  const encoded: Record<Encoding, Uint8Array> = { br: bytes(".br"), gzip: bytes(".gz") };
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
    if (encoding === undefined) return { status: 200, headers: common, body };
    return {
      status: 200,
      headers: { ...common, "Content-Encoding": encoding },
      body: encoded[encoding],
    };
  };
}
