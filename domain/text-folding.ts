/** Letters that NFKD does not decompose, with the plain letters that people type for them. */
const PLAIN: Readonly<Record<string, string>> = {
  ß: "ss",
  ł: "l",
  ø: "o",
  æ: "ae",
  œ: "oe",
  đ: "d",
  ð: "d",
  þ: "th",
  ħ: "h",
  ŧ: "t",
  ı: "i",
  ς: "σ",
  "‘": "'",
  "’": "'",
  ʼ: "'",
  "‐": "-",
  "‑": "-",
  "–": "-",
  "—": "-",
};
const SPECIAL = new RegExp(`[${Object.keys(PLAIN).join("")}]`, "gu");

/** Letters of a search that people type in several ways: Arabic, Persian and Hebrew variants. */
const VARIANTS: Readonly<Record<string, string>> = {
  "\u0671": "\u0627", // alef wasla: alef
  "\u0649": "\u064A", // alef maksura: yeh
  "\u06CC": "\u064A", // Farsi yeh: yeh
  "\u0629": "\u0647", // teh marbuta: heh
  "\u06C1": "\u0647", // heh goal: heh
  "\u06BE": "\u0647", // heh doachashmee: heh
  "\u06A9": "\u0643", // keheh: kaf
  "\u05DA": "\u05DB", // final kaf
  "\u05DD": "\u05DE", // final mem
  "\u05DF": "\u05E0", // final nun
  "\u05E3": "\u05E4", // final pe
  "\u05E5": "\u05E6", // final tsadi
};
const VARIANT = new RegExp(`[${Object.keys(VARIANTS).join("")}]`, "gu");
const DIGITS = /[\u0660-\u0669\u06F0-\u06F9]/g;
/** Quotation marks of all scripts, and the two primes that stand for them. */
const QUOTES = /[“”„‟«»〝〞〟″\u05F4]/gu;
/** Left out, so that "guns n roses" finds "Guns N' Roses". Tatweel stretches Arabic words. */
const APOSTROPHES = /['`´‘’‚‛‹›′ʹʻʼʽʾʿ\u05F3\u0640]/gu;

/**
 * Length of the longest substrings in the search index. The SQL function event_week_grams has the
 * same number.
 */
const GRAM_LENGTH_MAX = 3;
/** Grams per query. More do not narrow a search further. */
const SEARCH_GRAMS_MAX = 16;

/**
 * Folds a text to its key, as in every `*_key` column. Texts that people read as the same have the
 * same key: case, accents, width, kinds of dash and quote, apostrophes or none, variants of a
 * letter, Arabic digits, white space. Idempotent. A text without letters, digits and signs has an
 * empty key.
 */
export function fold(text: string): string {
  return identityKey(
    text
      .toWellFormed()
      .replace(APOSTROPHES, "")
      .replace(/\p{Cf}/gu, ""),
  )
    .replace(APOSTROPHES, "")
    .replace(VARIANT, (letter) => VARIANTS[letter] ?? letter)
    .replace(DIGITS, (digit) => String(digit.charCodeAt(0) & 0xf))
    .replace(QUOTES, '"')
    .replace(/\p{Pd}/gu, "-")
    .trim();
}

/** Folds a text for the id of a record that has none. Never changes, or events would come twice. */
export function identityKey(text: string): string {
  return text
    .toWellFormed()
    .normalize("NFKD")
    .toLowerCase()
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .replace(SPECIAL, (letter) => PLAIN[letter] ?? letter)
    .replace(/[\s\p{C}]+/gu, " ")
    .trim();
}

/**
 * Lists all distinct substrings of 1 to 3 letters (code points) of a folded name. The search index
 * holds them.
 */
export function grams(key: string): string[] {
  const letters = Array.from(key);
  const found = new Set<string>();
  for (let length = 1; length <= GRAM_LENGTH_MAX; length++)
    for (let start = 0; start + length <= letters.length; start++)
      found.add(letters.slice(start, start + length).join(""));
  return [...found];
}

/**
 * Lists the grams that a name must have to contain this folded query: the longest that fit, a
 * sample of them for a long query. Necessary, not sufficient: the search compares the names as
 * well. Empty for an empty query.
 */
export function searchGrams(queryKey: string): string[] {
  const letters = Array.from(queryKey);
  if (letters.length <= GRAM_LENGTH_MAX) return letters.length === 0 ? [] : [queryKey];
  const starts = letters.length - GRAM_LENGTH_MAX;
  const taken = Math.min(starts + 1, SEARCH_GRAMS_MAX);
  const found = new Set<string>();
  for (let index = 0; index < taken; index++) {
    const start = Math.round((index * starts) / (taken - 1));
    found.add(letters.slice(start, start + GRAM_LENGTH_MAX).join(""));
  }
  return [...found];
}
