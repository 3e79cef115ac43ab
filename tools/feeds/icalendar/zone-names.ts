import ical from "node-ical";
import { LRUCache } from "lru-cache";
import { zoneNamed } from "../local-time.ts";

const foreign = new LRUCache<string, { zone: string | undefined }>({ max: 1_000 });

/**
 * Returns the IANA zone that a TZID means: itself, one behind a path
 * ("/citadel.org/20210210_1/America/Argentina/Salta"), or one by the name that Windows gives it.
 */
export function zoneOfId(id: string): string | undefined {
  const parts = id.split("/").filter(Boolean);
  for (const length of [parts.length, 3, 2]) {
    const zone = length > parts.length ? undefined : zoneNamed(parts.slice(-length).join("/"));
    if (zone !== undefined) return zone;
  }
  let known = foreign.get(id);
  if (known === undefined) foreign.set(id, (known = { zone: zoneOfWindows(id) }));
  return known.zone;
}

/** node-ical takes some names for the zone of this machine, so its answer must be no guess. */
function zoneOfWindows(id: string): string | undefined {
  if (!/^[\p{L}\d(][\p{L}\d +\-(),.:'&]{2,120}$/u.test(id) || /^customi[sz]ed/i.test(id))
    return undefined;
  const text = [
    "BEGIN:VCALENDAR",
    "BEGIN:VEVENT",
    "UID:1",
    `DTSTART;TZID="${id}":20270101T000000`,
    "END:VEVENT",
    "END:VCALENDAR",
  ].join("\r\n");
  const event = Object.values(ical.sync.parseICS(text)).find((one) => one?.type === "VEVENT");
  const zone = (event as { start?: { tz?: string } } | undefined)?.start?.tz;
  // "UTC": a name that it does not know.
  return zone === undefined || /^(etc\/)?(utc|gmt)$/i.test(zone) ? undefined : zoneNamed(zone);
}
