import { pick, type Random } from "../../testing/seeded-random.ts";

const MUTATIONS_MAX = 4;
/** Pieces that have broken readers of calendars. */
const PIECES = [
  "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VALARM", "END:VALARM", "END:VCALENDAR", "BEGIN:VTIMEZONE",
  "RRULE:", "RRULE:FREQ=DAILY;BYDAY=MO, TU", "RDATE:20270101T000000Z", "DURATION:PT15M", "DURATION:P1D",
  "DURATION:-P1W", "DURATION:P1Y2M", "DTEND:20270101T000000Z", "DTSTART;VALUE=DATE:20270610",
  'DTSTART;TZID="(UTC+01:00) Amsterdam, Berlin":20270610T100000', "DTSTART;TZID=Customized Time Zone:20270610T100000",
  "STATUS:cancelled", "METHOD:CANCEL", "SEQUENCE:7", "SEQUENCE:-1", "RECURRENCE-ID:20270101T000000Z",
  "X-WR-TIMEZONE:UTC", "X-WR-TIMEZONE:Mars/Base", "TZOFFSETTO:+9900", "TZOFFSETTO:+0530", " folded", "\t", "",
  "SUMMARY:", "SUMMARY;X=\"a:b;c\":d", "SUMMARY;ENCODING=QUOTED-PRINTABLE:=41=0", "LOCATION:\u202E\u0000",
]; // prettier-ignore
const LETTERS = Array.from('0123456789TZ:;,="\\+- \r\n\tPDHMWé\u0000\u202E\uFEFF');
const ENDS = ["\r\n", "\n", "\r", "\r\r\n"];

/** Returns a changed copy of a calendar. The same numbers give the same copy. */
export function mutated(calendar: string, random: Random): string {
  let lines = calendar.split(/\r?\n/);
  const count = 1 + Math.floor(random() * MUTATIONS_MAX);
  for (let step = 0; step < count; step += 1) lines = changed(lines, random);
  return lines.join(random() < 0.8 ? "\r\n" : pick(ENDS, random));
}

function changed(lines: readonly string[], random: Random): string[] {
  const at = Math.floor(random() * lines.length);
  const line = lines[at] ?? "";
  const other = Math.floor(random() * lines.length);
  const place = Math.floor(random() * (line.length + 1));
  const letter = pick(LETTERS, random);
  switch (Math.floor(random() * 9)) {
    case 0:
      return lines.toSpliced(at, 1);
    case 1:
      return lines.toSpliced(at, 0, pick(PIECES, random));
    case 2:
      return lines.toSpliced(at, 0, lines[other] ?? "");
    case 3:
      return lines.with(at, lines[other] ?? "").with(other, line);
    case 4:
      return lines.with(at, line.slice(0, place) + letter + line.slice(place + 1));
    case 5:
      return lines.with(at, line.slice(0, place) + letter + line.slice(place));
    case 6:
      return lines.with(at, line.slice(0, place));
    case 7:
      return lines.with(at, random() < 0.5 ? line.toLowerCase() : line.toUpperCase());
    default:
      return lines.toSpliced(at, 1, line.slice(0, place), ` ${line.slice(place)}`);
  }
}
