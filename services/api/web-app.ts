import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Reply } from "../../mixins/problem.ts";
import { type Encoding, encodingOf } from "./compression.ts";
import { isKnown } from "./etag.ts";
import type { PlainResource } from "./operations.ts";

export type WebApp = {
  /** Its files, and its addresses, each of which is answered with the app itself. */
  resources: PlainResource[];
  /** The app with status 404, where somebody looks with a browser for an address that there is not; else undefined. */
  notFound(request: IncomingMessage): Reply | undefined;
};

const DIST = fileURLToPath(new URL("../../public/dist", import.meta.url));
const TYPES: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};
/** Only the app's own scripts, styles, pictures and requests; nothing inline, nothing foreign, no text that becomes code. */
const POLICY = [
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'",
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  "require-trusted-types-for 'script'; trusted-types 'none'",
].join("; ");
/** The name of a built file says what is in it, so it never changes. */
const FOR_EVER = "public, max-age=31536000, immutable";
const FOR_AN_HOUR = "public, max-age=3600";
const NOT_PAGES = /^\/(?:api|assets|\.well-known)(?:\/|$)/;

/**
 * Reads what `npm run build` made: files with their bytes compressed beforehand, and `paths.json`, which names the addresses of the app's pages.
 * Undefined where nothing has been built.
 */
export function readWebApp(folder = DIST): WebApp | undefined {
  if (!existsSync(join(folder, "paths.json"))) return undefined;
  const page = readFile(folder, "index.html", { "Cache-Control": "no-cache", "Content-Security-Policy": POLICY });
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (path) => extname(path) in TYPES && path !== "index.html" && !path.startsWith("."),
  );
  const paths = JSON.parse(readFileSync(join(folder, "paths.json"), "utf8")) as string[];
  return {
    resources: [
      ...paths.map((path) => ({ path, answer: async (_id: string, request: IncomingMessage) => page(request) })),
      ...files.map((path) => {
        const file = readFile(folder, path, { "Cache-Control": path.startsWith("assets/") ? FOR_EVER : FOR_AN_HOUR });
        return { path: `/${path}`, answer: async (_id: string, request: IncomingMessage) => file(request) };
      }),
    ],
    notFound(request) {
      const looks = (request.method === "GET" || request.method === "HEAD") && request.headers.accept?.includes("text/html");
      if (!looks || NOT_PAGES.test(request.url ?? "")) return undefined;
      const reply = page(request);
      return reply.status === 304 ? undefined : { ...reply, status: 404 };
    },
  };
}

/** Holds one file and its compressed forms in memory; answers 304 to whoever has it already. */
function readFile(folder: string, path: string, headers: Record<string, string>): (request: IncomingMessage) => Reply {
  const bytes = (ending = ""): Uint8Array => readFileSync(join(folder, path + ending));
  const body = bytes();
  const encoded: Record<Encoding, Uint8Array> = { br: bytes(".br"), gzip: bytes(".gz") };
  // Weak, since compressed bytes are other bytes of the same file.
  const etag = `W/"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  const always = { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream", ETag: etag, ...headers };
  return (request) => {
    if (isKnown(request.headers["if-none-match"], etag)) return { status: 304, headers: always, body: "" };
    const encoding = encodingOf(request.headers["accept-encoding"], body);
    if (encoding === undefined) return { status: 200, headers: always, body };
    return { status: 200, headers: { ...always, "Content-Encoding": encoding }, body: encoded[encoding] };
  };
}
