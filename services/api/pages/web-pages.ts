import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { accepted, type Answer } from "../../../domain/refusal.ts";
import { problemOf, type Reply } from "../../../lib/http/problem-details.ts";
import { replyOf } from "../handling/cached-reply.ts";
import {
  type CachedResponse,
  cachedResponse,
  type GatewayCounts,
  type ResponseCache,
} from "../handling/response-cache.ts";
import type { PlainResource } from "../routes/health.routes.ts";
import { type CoverImages, createCoverImages } from "./cover-images.ts";
import { eventAddress, openGraph, structuredEvent } from "./event-metadata.ts";
import { htmlTemplate } from "./html-document.ts";
import { languageOf, requestLink, textsLink } from "./page-links.ts";
import { type PageEvent, type PagePainter, readPainter } from "./painted-pages.ts";

export type WebPagesDeps = {
  responseCache: ResponseCache;
  gatewayCounts: GatewayCounts;
  /** The address by which visitors reach the pages, without a slash at the end. */
  siteUrl: () => string;
  /** Can refuse with: EVENT_NOT_FOUND, TRY_AGAIN. */
  getEvent: (eventId: string, requestId: string) => Promise<Answer<PageEvent>>;
};

/** `pages.json` of the build: each page's path, its first API request, and the files of texts. */
export type PagesFile = {
  pages: { path: string; asks?: string }[];
  texts: Record<string, string>;
};

const EVENT_PATH = "/events/:eventId";
const ID = /^\/events\/([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})(?:[/?]|$)/i;
/** A picture follows from id and type, which do not change. */
const ONE_DAY = "public, max-age=86400";

/**
 * The pages: the app's document in the reader's language, painted before its script runs. The page
 * of an event says what the event is, for shared links and search engines. Its bytes are kept in
 * the response cache. See docs/decisions/0095-a-document-per-event.md.
 */
export function createWebPages(
  folder: string,
  { pages, texts }: PagesFile,
  deps: WebPagesDeps,
): { resources: PlainResource[]; lost(request: IncomingMessage): Promise<Reply> } {
  const template = htmlTemplate(readFileSync(join(folder, "index.html"), "utf8"));
  const painter = readPainter(folder);
  const policy = pagePolicy(template.styleSource);
  const images = createCoverImages(painter);
  /** Documents that no event changes. */
  const fixed = new Map<string, CachedResponse>();
  const fixedPage = (language: string, page: Parameters<PagePainter["paintPage"]>[1]) => {
    const key = `${language} ${page}`;
    let document = fixed.get(key);
    if (document === undefined) {
      const painted = painter.paintPage(language, page);
      document = cachedResponse(template.fill({ ...painted, language }));
      fixed.set(key, document);
    }
    return document;
  };
  const eventPage = (eventId: string, language: string, requestId: string) =>
    deps.responseCache.answer(JSON.stringify([EVENT_PATH, eventId, language]), async () => {
      const found = await deps.getEvent(eventId, requestId);
      return found.ok ? accepted(documentOf(found.value, language)) : found;
    });
  const documentOf = (event: PageEvent, language: string): Buffer => {
    const siteUrl = deps.siteUrl();
    const painted = painter.paintEvent(language, event);
    return template.fill({
      ...painted,
      language,
      canonical: eventAddress(siteUrl, event),
      properties: openGraph(siteUrl, language, event, painted),
      data: structuredEvent(siteUrl, event, painted.description),
    });
  };
  /** Sends a document. A status other than 200 is for an address without a page of its own. */
  const send = async (
    request: IncomingMessage,
    document: CachedResponse,
    more: Record<string, string>,
    status = 200,
  ): Promise<Reply> => {
    const caching = status === 200 ? "no-cache" : "no-store";
    const reply = await replyOf(deps.gatewayCounts, document, request, {
      status: 200,
      caching,
      headers: { "Content-Type": "text/html; charset=utf-8" },
      conditional: status === 200,
    });
    return {
      body: reply.body,
      status: reply.status === 304 ? 304 : status,
      headers: {
        ...reply.headers,
        // Also of a 304: its headers replace those that the browser has kept.
        "Content-Security-Policy": policy,
        // One document is sent with 200 and with 503, and its replies are kept.
        "Cache-Control": caching,
        Vary: "Accept-Language",
        ...more,
      },
    };
  };
  const lost = (request: IncomingMessage): Promise<Reply> =>
    send(request, fixedPage(languageOf(request, painter.languages), "lost"), {}, 404);

  const answerEvent = async (
    requestId: string,
    request: IncomingMessage,
    { language, Link }: { language: string; Link: string },
  ): Promise<Reply> => {
    const [, eventId] = ID.exec(request.url ?? "") ?? [];
    if (eventId === undefined) return lost(request);
    const answer = await eventPage(eventId.toLowerCase(), language, requestId);
    if (answer.ok) return send(request, answer.value, { Link });
    if (answer.refusal.code === "EVENT_NOT_FOUND") return lost(request);
    // The app asks again by itself, so a reader gets it all the same; a crawler comes back.
    return send(request, fixedPage(language, "other"), { Link, "Retry-After": "1" }, 503);
  };
  return {
    lost,
    resources: [
      ...pages.map(({ path, asks }) => ({
        path,
        async answer(requestId: string, request: IncomingMessage) {
          const language = languageOf(request, painter.languages);
          const links = [...textsLink(texts, language), ...requestLink(path, asks, request)];
          const Link = links.join(", ");
          if (path === EVENT_PATH) return answerEvent(requestId, request, { language, Link });
          const document = fixedPage(language, path === "/" ? "browse" : "other");
          return send(request, document, { Link });
        },
      })),
      { path: `${EVENT_PATH}/cover.png`, answer: coverAnswer(images, deps) },
    ],
  };
}

function coverAnswer(images: CoverImages, { getEvent }: WebPagesDeps): PlainResource["answer"] {
  return async (requestId, request) => {
    const [, eventId] = ID.exec(request.url ?? "") ?? [];
    if (eventId === undefined) return problemOf("EVENT_NOT_FOUND", requestId);
    const event = await getEvent(eventId.toLowerCase(), requestId);
    const image = event.ok ? await images(event.value) : event;
    if (!image.ok) return problemOf(image.refusal.code, requestId);
    return {
      status: 200,
      headers: {
        "Content-Type": "image/png",
        "Cache-Control": ONE_DAY,
        // Previews of links are shown by other sites.
        "Cross-Origin-Resource-Policy": "cross-origin",
      },
      body: image.value,
    };
  };
}

/**
 * Only the app's own scripts, styles, images and requests, and no text as code but the address of
 * the service worker. `styleSource` is the document's own.
 */
function pagePolicy(styleSource: string): string {
  return [
    "default-src 'none'; script-src 'self'; style-src 'self' " + styleSource,
    "img-src 'self'; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'",
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    "require-trusted-types-for 'script'; trusted-types service-worker",
  ].join("; ");
}
