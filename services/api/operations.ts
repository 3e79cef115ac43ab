import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { ALIVE, type Health, readinessAnswer } from "../../mixins/health.ts";
import { type Reply, sendAnswer } from "../../mixins/problem.ts";
import { compressed } from "./compression.ts";
import { methodRefusal, optionsReply } from "./serve.ts";

/** A resource that asks no service and takes no input. */
export type PlainResource = {
  path: string;
  answer(requestId: string): Promise<Reply>;
};

const ALLOW = "GET, HEAD, OPTIONS";

/** /healthz, /readyz and the page at /. */
export function operationResources(health: Health): PlainResource[] {
  const page = readPage();
  return [
    { path: "/", answer: () => Promise.resolve(page) },
    { path: "/healthz", answer: () => Promise.resolve(ALIVE) },
    { path: "/readyz", answer: async (requestId) => readinessAnswer(await health.missing(), requestId) },
  ];
}

export async function servePlain(
  resource: PlainResource,
  requestId: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method === "GET" || request.method === "HEAD")
    sendAnswer(request, response, await compressed(request, response, await resource.answer(requestId)));
  else if (request.method === "OPTIONS") sendAnswer(request, response, optionsReply(ALLOW));
  else sendAnswer(request, response, methodRefusal(ALLOW, requestId));
}

/** What the web app needs, and nothing foreign: its own scripts, styles, pictures and requests, and the page's one style sheet by its hash. */
function readPage(): Reply {
  const body = readFileSync(new URL("../../public/index.html", import.meta.url), "utf8");
  const style = /<style>([^]*?)<\/style>/.exec(body)?.[1] ?? "";
  const hash = createHash("sha256").update(style).digest("base64");
  const policy = [
    "default-src 'none'; script-src 'self'",
    `style-src 'self' 'sha256-${hash}'`,
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'",
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  ].join("; ");
  return {
    status: 200,
    headers: { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache", "Content-Security-Policy": policy },
    body,
  };
}
