import type { EventRecord } from "../../domain/event-record.ts";
import type { Counts, Outcome } from "../../tools/feeds/feed-record.ts";
import { importFeed } from "../../tools/feeds/import-feed.ts";
import { openInput } from "../../tools/feeds/input.ts";
import { readFeed } from "../../tools/feeds/read-feed.ts";
import type { OperatorSession } from "./operator-session.ts";

/** Imports a feed into the catalog, as `npx boxoffice import` does. */
export async function importFile(session: OperatorSession, file: string): Promise<void> {
  const counts: Counts = { imported: 0, updated: 0, unchanged: 0, repeated: 0, refused: 0 };
  const input = await openInput(file, process.stdin);
  const send = (records: EventRecord[], last = false): Promise<Outcome[]> =>
    session
      .call<{ outcomes: Outcome[] }>("catalog.import", { records, last })
      .then(({ outcomes }) => outcomes);
  await importFeed(readFeed(input.chunks, {}), counts, {
    send,
    upcoming: (source, after) =>
      session
        .call<{ records: EventRecord[] }>("catalog.upcoming", { source, after })
        .then(({ records }) => records),
    tell: ({ what, number, name, reason }) => {
      if (what === "refused") session.print(`record ${number}, ${name}: ${reason}`);
    },
    progress: () => undefined,
    signal: new AbortController().signal,
  });
  if (counts.imported + counts.updated > 0) await send([], true);
  session.print(
    Object.entries(counts)
      .map(([what, count]) => `${what} ${count}`)
      .join(", "),
  );
}
