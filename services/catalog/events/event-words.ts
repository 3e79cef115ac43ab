import type { EventRecord } from "../../../domain/event-record.ts";
import { deletions, differInOneLetter, words } from "../../../domain/search-words.ts";
import { fold, searchGrams } from "../../../domain/text-folding.ts";
import type { Connection } from "../../../lib/database/pool.ts";
import { cityKey } from "./city-key.ts";

/**
 * Keeps the words of events whose names or cities change, before the transaction that changes them.
 * A trigger keeps them too, but in the order of rows, in which two imports could deadlock. Words
 * are never deleted.
 */
export async function keepWords(
  connection: Connection,
  records: readonly EventRecord[],
): Promise<void> {
  const found = new Set<string>();
  for (const { name, location } of records) {
    const city = fold(location);
    for (const text of new Set([fold(name), city, cityKey(city)]))
      for (const word of words(text)) found.add(word);
  }
  if (found.size === 0) return;
  await connection.query({
    name: "catalog-keep-words",
    text: `INSERT INTO event_word (word) SELECT word FROM unnest($1::text[]) AS word
      ON CONFLICT DO NOTHING`,
    values: [[...found].sort()],
  });
}

/** More words than this narrow a search no further than the grams do. */
const CONTAINING_MAX = 64;

/**
 * Lists the words of events that contain this text, or undefined if they are too many. The text has
 * four letters or more: shorter words are not kept.
 */
export async function containingWords(
  connection: Connection,
  text: string,
): Promise<string[] | undefined> {
  const rows = await connection.query<{ word: string }>({
    name: "catalog-containing-words",
    text: `SELECT word FROM event_word
      WHERE event_word_grams(word) @> $1::text[] AND strpos(word, $2) > 0
      LIMIT ${CONTAINING_MAX + 1}`,
    values: [searchGrams(text), text],
  });
  return rows.length > CONTAINING_MAX ? undefined : rows.map(({ word }) => word);
}

/** Limit of what a mistyped word can mean. */
const SIMILAR_MAX = 32;
/** Words that have a deletion in common, of which some differ in two letters. */
const CANDIDATES_MAX = 500;

/** Lists the words of events that differ from this one in one letter. */
export async function similarWords(connection: Connection, word: string): Promise<string[]> {
  const rows = await connection.query<{ word: string }>({
    name: "catalog-similar-words",
    text: `SELECT word FROM event_word WHERE event_word_deletions(word) && $1::text[]
      LIMIT ${CANDIDATES_MAX}`,
    values: [deletions(word)],
  });
  return rows
    .map((row) => row.word)
    .filter((other) => differInOneLetter(word, other))
    .sort()
    .slice(0, SIMILAR_MAX);
}
