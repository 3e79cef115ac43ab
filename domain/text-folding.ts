/** Letters that NFKD leaves whole although people type them with a plain one. */
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

/** Longest substrings that the search index knows. The SQL function event_week_grams has the same number in it. */
const GRAM_LENGTH_MAX = 3;
/** More grams than this do not narrow a search any further. */
const SEARCH_GRAMS_MAX = 16;

/**
 * The one function behind every `*_key`: two texts that people read as the same (case, accents, width, kinds of dash, white space) fold to the same key.
 * Idempotent. The key of a text without any letter, digit or sign is empty.
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

/** All distinct substrings of 1 to 3 letters (code points) of a folded name: what the search index holds of it. */
export function grams(key: string): string[] {
  const letters = Array.from(key);
  const found = new Set<string>();
  for (let length = 1; length <= GRAM_LENGTH_MAX; length++)
    for (let start = 0; start + length <= letters.length; start++)
      found.add(letters.slice(start, start + length).join(""));
  return [...found];
}

/**
 * The grams a name must have to contain this folded query: the longest that fit, a sample of them where the query is long.
 * Necessary, not sufficient: who searches compares the names themselves too. Empty for an empty query.
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
