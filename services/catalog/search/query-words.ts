import {
  isCorrectable,
  isLongWord,
  longestWord,
  SEPARATOR_CLASS,
} from "../../../domain/search-words.ts";
import type { Connection } from "../../../lib/database/pool.ts";
import { cityKey } from "../events/city-key.ts";
import { containingWords, similarWords } from "../events/event-words.ts";

/**
 * A word of `q`. An event has it if its name or city contains one of `texts`, or has one of
 * `similar` as a whole word. `words`: all words of events, one of which such an event has. Absent
 * if they are too many, or are not known.
 */
export type QueryWord = { texts: string[]; similar: string[]; words?: string[] };

/** Names of cities have at most this number of words. */
const CITY_WORDS_MAX = 5;
/** The longest words of a query are looked up. The others are compared. */
const LOOKED_UP_MAX = 4;
/** The columns that `q` searches, as one text. Folded text has no line break. */
const TEXT = "(name_key || E'\\n' || location_key || coalesce(E'\\n' || city_key, ''))";

/**
 * Splits a folded query at its blanks. Words that are a name of a city stay together, and also mean
 * the city's other name: "monaco di baviera" is a word whose texts are itself and "munich". A
 * single Latin letter beside other words narrows nothing, and is left out.
 */
export function queryWords(queryKey: string): QueryWord[] {
  const rest = queryKey.split(" ").filter(Boolean);
  const found = new Map<string, QueryWord>();
  while (rest.length > 0) {
    const text = rest.splice(0, cityLength(rest)).join(" ");
    found.set(text, { texts: [text, ...otherCityNames(text)], similar: [] });
  }
  const [first, ...others] = found.values();
  if (first === undefined) return [];
  const narrowing = [first, ...others].filter(({ texts }) => !/^[a-z]$/.test(texts[0] ?? ""));
  return narrowing.length > 0 ? narrowing : [first];
}

/** How many of the next words are one name of a city, else one. */
function cityLength(next: readonly string[]): number {
  for (let length = Math.min(CITY_WORDS_MAX, next.length); length > 1; length -= 1)
    if (otherCityNames(next.slice(0, length).join(" ")).length > 0) return length;
  return 1;
}

/** The city's key, unless who has the key has this name too ("new york", "new york city"). */
function otherCityNames(name: string): string[] {
  const key = cityKey(name);
  return name.split(" ").every((word) => key.includes(word)) ? [] : [key];
}

/** Adds what the words of a query can mean, longest words first. */
export async function withEventWords(
  connection: Connection,
  query: readonly QueryWord[],
): Promise<QueryWord[]> {
  const length = ({ texts }: QueryWord): number => Math.min(...texts.map((text) => text.length));
  const longest = query.toSorted((one, other) => length(other) - length(one));
  const lookedUp = longest.slice(0, LOOKED_UP_MAX).map((word) => lookUp(connection, word));
  return [...(await Promise.all(lookedUp)), ...longest.slice(LOOKED_UP_MAX)];
}

async function lookUp(connection: Connection, { texts }: QueryWord): Promise<QueryWord> {
  const [typed = "", ...cities] = texts;
  const part = longestWord(typed);
  const others = cities.map(longestWord);
  const [containing, near] = await Promise.all([
    isLongWord(part) && others.every(isLongWord) ? containingWords(connection, part) : undefined,
    isCorrectable(typed) ? similarWords(connection, typed) : [],
  ]);
  // What contains a text is found by it.
  const similar = near.filter((one) => !texts.some((text) => one.includes(text)));
  const words = containing && [...new Set([...containing, ...others, ...similar])];
  return { texts, similar, ...(words !== undefined && words.length > 0 && { words }) };
}

/** Builds the SQL condition that an event has a word. */
export function hasWord({ texts, similar }: QueryWord, value: (one: unknown) => string): string {
  const ways = texts.map((text) => `strpos(${TEXT}, ${value(text)}) > 0`);
  const edge = SEPARATOR_CLASS;
  if (similar.length > 0)
    ways.push(`${TEXT} ~ ${value(`(?:^|${edge})(?:${similar.join("|")})(?:${edge}|$)`)}`);
  return `(${ways.join(" OR ")})`;
}
