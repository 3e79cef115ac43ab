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

/** Longest gram in the search index. The SQL function event_week_grams uses the same number. */
const GRAM_LENGTH_MAX = 3;
/** Grams per query. More do not narrow a search further. */
const SEARCH_GRAMS_MAX = 16;

/**
 * Folds a text to its search key: equal for any case, accents, width, dashes and white space.
 * Idempotent. A text without letter, digit or sign has an empty key.
 */
export function fold(text: string): string {
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

/** Lists the distinct substrings of 1 to 3 code points of a folded name, for the search index. */
export function grams(key: string): string[] {
  const letters = Array.from(key);
  const found = new Set<string>();
  for (let length = 1; length <= GRAM_LENGTH_MAX; length++)
    for (let start = 0; start + length <= letters.length; start++)
      found.add(letters.slice(start, start + length).join(""));
  return [...found];
}

/**
 * Lists the grams that a name must have to contain a folded query: the longest that fit, a sample
 * for long queries. Necessary, not sufficient: the search also compares the names. Empty for an
 * empty query.
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
