import type { IncomingMessage } from "node:http";

/** For readers of none of the app's languages. */
const FALLBACK_LANGUAGE = "en";

/** The first language of the browser that the app has. */
export function languageOf({ headers }: IncomingMessage, languages: readonly string[]): string {
  const preferred = (headers["accept-language"] ?? "")
    .split(",")
    .map((tag) => /^\s*([a-z]+)/i.exec(tag)?.[1]?.toLowerCase() ?? "");
  return preferred.find((tag) => languages.includes(tag)) ?? FALLBACK_LANGUAGE;
}

/** Preloads the texts of a language, which saves a round trip. */
export function textsLink(texts: Record<string, string>, language: string): string[] {
  const file = texts[language];
  return file === undefined ? [] : [`<${file}>; rel=modulepreload`];
}

/** Preloads the page's first API request, if it follows from the URL alone. */
export function requestLink(
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
