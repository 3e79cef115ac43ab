/**
 * What separates words in folded text, as a class of a regular expression of JavaScript and of
 * PostgreSQL. The SQL function event_words has the same.
 */
export const SEPARATOR_CLASS =
  "[\\u0001-/:-@[-`{-\\u00bf\\u2000-\\u206f\\u3000-\\u3003\\u3008-\\u3011\\u30fb]";
const SEPARATORS = new RegExp(`${SEPARATOR_CLASS}+`);

/** A word of a search with fewer letters is not corrected. */
export const CORRECTED_LETTERS_MIN = 5;
/** The shortest word that a mistyped word can mean. Shorter ones are not kept. */
const WORD_LETTERS_MIN = CORRECTED_LETTERS_MIN - 1;

/** Lists the distinct words of a folded text that are long enough to be kept. */
export function words(key: string): string[] {
  return [...new Set(key.split(SEPARATORS).filter(isLongWord))];
}

/** Tells whether a word has four letters. */
export function isLongWord(word: string): boolean {
  return Array.from(word).length >= WORD_LETTERS_MIN;
}

/** The longest word of a folded text, empty if it has none. */
export function longestWord(key: string): string {
  return key
    .split(SEPARATORS)
    .reduce((longest, word) => (word.length > longest.length ? word : longest), "");
}

/** Tells whether a word of a search is long enough to be mistyped, and has letters only. */
export function isCorrectable(word: string): boolean {
  return /^\p{L}+$/u.test(word) && Array.from(word).length >= CORRECTED_LETTERS_MIN;
}

/**
 * Lists a word, and the word without each of its letters. Two words that differ in one letter have
 * one of these in common. The SQL function event_word_deletions is the same.
 */
export function deletions(word: string): string[] {
  const letters = Array.from(word);
  return [...new Set([word, ...letters.map((_, index) => letters.toSpliced(index, 1).join(""))])];
}

/**
 * Tells whether two words are the same but for one letter: one more, one less, another one, or two
 * neighbors swapped.
 */
export function differInOneLetter(one: string, other: string): boolean {
  const [a, b] = [Array.from(one), Array.from(other)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA -= 1;
    endB -= 1;
  }
  const [restA, restB] = [a.slice(start, endA), b.slice(start, endB)];
  if (restA.length + restB.length === 0) return false;
  if (restA.length <= 1 && restB.length <= 1) return true;
  const isPair = restA.length === 2 && restB.length === 2;
  return isPair && restA[0] === restB[1] && restA[1] === restB[0];
}
