import type { Connection } from "../../mixins/database.ts";
import type { GramShare } from "./search-statement.ts";

const REFRESH_MS = 60_000;

const SHARES = `
  SELECT element.gram, element.share::float8 AS share
  FROM pg_stats, ROWS FROM (unnest(most_common_elems::text::text[]), unnest(most_common_elem_freqs)) AS element (gram, share)
  WHERE schemaname = current_schema() AND tablename = 'event_by_name_grams' AND element.gram IS NOT NULL`;

export type GramShares = { current: () => Promise<GramShare>; refresh: () => Promise<void> };

/**
 * The shares of the frequent grams, from the statistics that PostgreSQL keeps of the gram index (the thousand most frequent). Read again once a
 * minute, in the background: a search never waits for it but for the first time, and without statistics every gram counts as rare, which is
 * right on a catalogue too young to have any.
 */
export function gramShares(database: Connection, now: () => number): GramShares {
  let shares = new Map<string, number>();
  let readAtMs: number | undefined;
  let reading: Promise<void> | undefined;

  const read = async (): Promise<void> => {
    try {
      const rows = await database.query<{ gram: string; share: number }>({ name: "catalog-gram-shares", text: SHARES });
      shares = new Map(rows.map(({ gram, share }) => [gram, share]));
      readAtMs = now();
    } finally {
      reading = undefined;
    }
  };
  const refresh = (): Promise<void> => (reading ??= read());

  return {
    refresh,
    async current() {
      if (readAtMs === undefined) await refresh();
      else if (now() - readAtMs > REFRESH_MS) refresh().catch(() => undefined);
      return (gram) => shares.get(gram) ?? 0;
    },
  };
}
