import { createHash } from "node:crypto";
import type { PaintedPage } from "./painted-pages.ts";

/** A document is the built index.html with these spots filled in. */
const SPOTS = [
  /(?<=<html lang=")en(?=">)/,
  /<title>Boxoffice<\/title>\s*<meta\s+name="description"[^>]*>/,
  /(?<=<div id="app">)(?=<\/div>)/,
] as const;

export type DocumentParts = PaintedPage & {
  language: string;
  /** Contents of `<meta>` by property, as in the Open Graph protocol. */
  properties?: readonly (readonly [property: string, content: string])[];
  canonical?: string;
  /** Structured data (JSON-LD). A data block: no policy of scripts applies to it. */
  data?: object;
};

export type HtmlTemplate = {
  fill(parts: DocumentParts): Buffer;
  /** The source of the document's own style sheet, as a Content-Security-Policy names it. */
  styleSource: string;
};

/** Splits the built index.html. Throws if it lacks a spot. */
export function htmlTemplate(html: string): HtmlTemplate {
  const pieces: string[] = [];
  let rest = html;
  for (const spot of SPOTS) {
    const match = spot.exec(rest);
    if (match === null) throw new Error(`index.html lacks ${String(spot)}`);
    pieces.push(rest.slice(0, match.index));
    rest = rest.slice(match.index + match[0].length);
  }
  const [start, head, body] = pieces;
  const style = /<style>([^]*?)<\/style>/.exec(html)?.[1];
  if (style === undefined) throw new Error("index.html has no style sheet of its own");
  return {
    fill: (parts) =>
      Buffer.from(
        `${start}${attribute(parts.language)}${head}${headOf(parts)}${body}${parts.markup}${rest}`,
      ),
    styleSource: `'sha256-${createHash("sha256").update(style).digest("base64")}'`,
  };
}

function headOf({ title, description, properties = [], canonical, data }: DocumentParts): string {
  return [
    `<title>${text(title)}</title>`,
    `<meta name="description" content="${attribute(description)}">`,
    ...(canonical === undefined ? [] : [`<link rel="canonical" href="${attribute(canonical)}">`]),
    ...properties.map(
      ([property, content]) =>
        `<meta property="${attribute(property)}" content="${attribute(content)}">`,
    ),
    ...(data === undefined
      ? []
      : [`<script type="application/ld+json">${scriptData(data)}</script>`]),
  ].join("\n    ");
}

function text(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function attribute(value: string): string {
  return text(value).replaceAll('"', "&quot;");
}

/** JSON that neither ends a script element nor opens a comment in it. */
function scriptData(data: object): string {
  return JSON.stringify(data).replaceAll("<", String.raw`\u003c`);
}
