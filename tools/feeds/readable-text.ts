import { decodeHTMLStrict } from "entities";
import { UnusableRecord } from "./feed-error.ts";

/**
 * Control characters, separators of lines, and what changes how other letters are shown (bidi
 * controls, soft hyphens, marks of byte order). ZWNJ and ZWJ stay: Persian and emoji need them.
 */
const INVISIBLE = /(?!\u200C|\u200D)(?:\p{Cf}|\u115F|\u1160|\u3164|\uFFA0|\u034F)/gu;

/** Replaces white space and control characters by single spaces, and removes invisible letters. */
export function tidyText(text: string): string {
  return text
    .toWellFormed()
    .replace(INVISIBLE, "")
    .replace(/[\s\p{Cc}]+/gu, " ")
    .replace(/^(?:\s|\u200C|\u200D)+|(?:\s|\u200C|\u200D)+$/g, "");
}

/**
 * Returns a text as people read it: HTML entities decoded, also those that were encoded twice.
 * Undefined if it is empty. Throws UnusableRecord for broken characters.
 */
export function readableText(text: string, field: string): string | undefined {
  const tidy = tidyText(decodeHTMLStrict(decodeHTMLStrict(text)));
  if (tidy.includes("\uFFFD"))
    throw new UnusableRecord(`${field} has broken characters (the feed is not UTF-8)`);
  return tidy === "" ? undefined : tidy;
}

/** Returns an id: tidy, else as it is written. */
export function idText(text: string): string | undefined {
  const tidy = text
    .toWellFormed()
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
  return tidy === "" ? undefined : tidy;
}

/** Returns a web address, or undefined for another kind of address. Encodes spaces in it. */
export function webAddress(text: string | undefined, field: string): string | undefined {
  const address =
    text === undefined ? undefined : readableText(text, field)?.replaceAll(" ", "%20");
  return address !== undefined && /^https?:\/\//i.test(address) ? address : undefined;
}
