import type { Connection } from "../../mixins/database.ts";
import type { GramShare } from "./search-statement.ts";

const REFRESH_MS = 60_000;

/**
 * The shares of the frequent grams, from the statistics that PostgreSQL keeps of the gram index (the thousand most frequent). Read again once a
 * minute, in the background: a search never waits for it but for the first time, and without statistics every gram counts as rare, which is
 * right on a catalogue too young to have any.
 */
export function gramShares(database: Connection, now: () => number): () => Promise<GramShare> {
  let shares = new Map<string, number>();
  let readAtMs: number | undefined;
  let reading: Promise<void> | undefined;

  const read = async (): Promise<void> => {
    try {
      const rows = await database.query<{ gram: string; share: number }>({
        name: "catalog-gram-shares",
        text: `
          SELECT element.gram, element.share::float8 AS share
          FROM pg_stats, ROWS FROM (unnest(most_common_elems::text::text[]), unnest(most_common_elem_freqs)) AS element (gram, share)
          WHERE schemaname = current_schema() AND tablename = 'event_by_name_grams' AND element.gram IS NOT NULL`,
      });
      shares = new Map(rows.map(({ gram, share }) => [gram, share]));
      readAtMs = now();
    } finally {
      reading = undefined;
    }
  };

  return async () => {
    if (readAtMs === undefined) await (reading ??= read());
    else if (now() - readAtMs > REFRESH_MS) (reading ??= read()).catch(() => undefined);
    return (gram) => shares.get(gram) ?? 0;
  };
}
