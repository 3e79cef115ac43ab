import { isCorrectable, SEPARATOR_CLASS } from "../../../domain/search-words.ts";
import type { Connection } from "../../../lib/database/pool.ts";
import { cityKey } from "../events/city-key.ts";
import { similarWords } from "../events/event-words.ts";

/**
 * A word of `q`. An event has it if its name or city contains one of `texts`, or has one of `similar`
 * as a whole word.
 */
export type QueryWord = { texts: string[]; similar: string[] };

/** Names of cities have at most this number of words. */
const CITY_WORDS_MAX = 5;
/** The columns that `q` searches, as one text. Folded text has no line break. */
const TEXT = "(name_key || E'\\n' || location_key || coalesce(E'\\n' || city_key, ''))";

/**
 * Splits a folded query at its blanks. Words that are a name of a city stay together, and also mean
 * the city's other name: "monaco di baviera" is a word whose texts are itself and "munich".
 */
export function queryWords(queryKey: string): QueryWord[] {
  const rest = queryKey.split(" ").filter(Boolean);
  const found = new Map<string, QueryWord>();
  while (rest.length > 0) {
    const text = rest.splice(0, cityLength(rest)).join(" ");
    const texts = [text, ...otherCityNames(text)];
    found.set(text, { texts, similar: [] });
  }
  return [...found.values()];
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

/** Adds the words of events that a word can mean if one of its letters is wrong. */
export async function withSimilarWords(
  connection: Connection,
  query: readonly QueryWord[],
): Promise<QueryWord[]> {
  return Promise.all(
    query.map(async ({ texts }) => {
      const [word = ""] = texts;
      const found = isCorrectable(word) ? await similarWords(connection, word) : [];
      // What contains a text is found by it.
      return { texts, similar: found.filter((one) => !texts.some((text) => one.includes(text))) };
    }),
  );
}

/** Builds the SQL condition that an event has a word. */
export function hasWord({ texts, similar }: QueryWord, value: (one: unknown) => string): string {
  const ways = texts.map((text) => `strpos(${TEXT}, ${value(text)}) > 0`);
  const class_ = SEPARATOR_CLASS;
  if (similar.length > 0)
    ways.push(`${TEXT} ~ ${value(`(?:^|${class_})(?:${similar.join("|")})(?:${class_}|$)`)}`);
  return `(${ways.join(" OR ")})`;
}
