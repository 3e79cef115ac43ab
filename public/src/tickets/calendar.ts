import type { Event } from "../api/types.ts";

const MINUTE_MS = 60_000;
/** Longest line of RFC 5545, in octets. */
const LINE_BYTES_MAX = 75;

/** Writes an event as an iCalendar file (RFC 5545). UTC needs no time zone definitions. */
export function calendarFile(event: Event, nowMs: number, address: string): string {
  const starts = Date.parse(event.startsAt);
  const place = event.country === null ? event.location : `${event.location}, ${event.country}`;
  const lines = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Boxoffice//EN",
    "BEGIN:VEVENT",
    `UID:${event.id}@boxoffice`,
    `DTSTAMP:${stamp(nowMs)}`,
    `DTSTART:${stamp(starts)}`,
    `DTEND:${stamp(starts + event.duration * MINUTE_MS)}`,
    `SUMMARY:${escaped(event.name)}`,
    `LOCATION:${escaped(place)}`,
    `URL:${address}`,
    ...(event.status === "cancelled" ? ["STATUS:CANCELLED"] : []),
    "END:VEVENT",
    "END:VCALENDAR",
  ];
  return `${lines.map(folded).join("\r\n")}\r\n`;
}

function stamp(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

function escaped(text: string): string {
  return text.replaceAll(/[\\;,]/g, "\\$&").replaceAll(/\r?\n/g, "\\n");
}

function folded(line: string): string {
  const encoder = new TextEncoder();
  let [text, bytes] = ["", 0];
  for (const character of line) {
    const length = encoder.encode(character).length;
    if (bytes + length > LINE_BYTES_MAX) [text, bytes] = [`${text}\r\n `, 1];
    text += character;
    bytes += length;
  }
  return text;
}
