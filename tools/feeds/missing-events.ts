import type { EventRecord } from "../../domain/event-record.ts";
import type { Feed, ImportHooks, Told } from "./feed-record.ts";
import { recordKey } from "./seen-keys.ts";

export const MISSING_MODES = ["keep", "cancel"] as const;
/** What an import does with events of its source that are no longer in the feed. */
export type MissingMode = (typeof MISSING_MODES)[number];

export type MissingHooks = Pick<ImportHooks, "send" | "upcoming" | "tell" | "signal">;

/**
 * Finds the upcoming events of the feed's sources that the feed no longer has, and cancels them if
 * the mode says so. Cancels none if a refused record has no id that can be read: it could be any of
 * them. Returns how many there are, and how many were cancelled.
 */
export async function settleMissing(
  { seen, sources, unknown }: Feed,
  mode: MissingMode,
  { upcoming, send, tell, signal }: MissingHooks,
): Promise<{ missing: number; cancelled: number }> {
  const cancels = mode === "cancel" && unknown === 0;
  const counts = { missing: 0, cancelled: 0 };
  const told = ({ name }: EventRecord, reason: string): Told => ({ what: "missing", name, reason });
  for (const source of sources)
    for (let after: string | undefined = ""; after !== undefined && !signal.aborted;) {
      const page = await upcoming(source, after);
      after = page.at(-1)?.sourceId;
      const gone = page.filter(({ sourceId }) => !seen.has(recordKey(source, sourceId)));
      counts.missing += gone.length;
      if (!cancels) {
        for (const event of gone) tell(told(event, "it left the feed, and is kept"));
        continue;
      }
      const outcomes =
        gone.length === 0
          ? []
          : await send(gone.map((event) => ({ ...event, status: "cancelled" })));
      gone.forEach((event, index) => {
        const outcome = outcomes[index];
        const refused = outcome?.outcome === "refused" ? outcome.reason : undefined;
        if (refused === undefined) counts.cancelled += 1;
        tell(told(event, `it left the feed, ${refused ?? "and is cancelled"}`));
      });
    }
  if (mode === "cancel" && unknown > 0 && counts.missing > 0)
    tell({
      what: "missing",
      name: "nothing is cancelled",
      reason: `${unknown} refused records have no id that can be read`,
    });
  return counts;
}
