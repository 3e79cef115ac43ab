import type { EventRecord } from "../../domain/event-record.ts";
import type { Counts, Feed, ImportHooks, NamedEvents } from "./feed-record.ts";

/**
 * Cancels the upcoming events that a feed names by their UID alone, unless a later version of them
 * is known. One that is not known is no fault: the feed may cancel what was never imported.
 */
export async function cancelNamed(
  { named }: Feed,
  counts: Counts,
  { send, upcoming, tell, signal }: ImportHooks,
): Promise<void> {
  for (const [source, ids] of named) {
    const found = new Set<string>();
    for (let after: string | undefined = ""; after !== undefined && !signal.aborted;) {
      const page: readonly EventRecord[] = await upcoming(source, after);
      after = page.at(-1)?.sourceId;
      const events = page.filter(({ sourceId, sequence = 0 }) => {
        const id = idIn(sourceId, ids);
        if (id === undefined || sequence > (ids.get(id)?.sequence ?? 0)) return false;
        found.add(id);
        return true;
      });
      if (events.length === 0) continue;
      const outcomes = await send(events.map((event) => ({ ...event, status: "cancelled" })));
      events.forEach(({ name }, index) => {
        const outcome = outcomes[index];
        counts[outcome?.outcome ?? "unchanged"] += 1;
        if (outcome?.outcome === "refused") tell({ what: "refused", name, reason: outcome.reason });
      });
    }
    for (const [id, { number, name }] of ids)
      if (!found.has(id) && !signal.aborted) {
        counts.unchanged += 1;
        tell({ what: "note", number, name, reason: `no upcoming event is ${id.slice(0, 100)}` });
      }
  }
}

/** The id that an event's id is, or begins with: events of one UID have their start behind it. */
function idIn(sourceId: string, ids: NamedEvents): string | undefined {
  if (ids.has(sourceId)) return sourceId;
  for (let end = sourceId.indexOf(" "); end > 0; end = sourceId.indexOf(" ", end + 1))
    if (ids.has(sourceId.slice(0, end))) return sourceId.slice(0, end);
  return undefined;
}
