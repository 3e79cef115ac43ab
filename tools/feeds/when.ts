import { Temporal } from "temporal-polyfill";
import { UnusableRecord, type When } from "./draft-event.ts";

const DATE = String.raw`(\d{4})(-?)(\d{2})\2(\d{2})`;
const TIME = String.raw`(\d{1,2})(?::?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?)?`;
const OFFSET = String.raw`(Z|UTC|GMT|[+-](?:\d{2}(?::?\d{2})?|\d(?::\d{2})?))`;
const WHEN = new RegExp(`^${DATE}(?:(?:T|\\s+|\\s*T\\s*)${TIME}(?:\\s*${OFFSET})?)?$`, "i");

/**
 * Reads a date, or a date with a time and perhaps an offset: RFC 3339, and the looser forms that
 * pages have (24:00, 9:00, +02, a blank before the offset, no separators). Throws UnusableRecord
 * for anything else.
 */
export function whenOf(text: string, field: string): When {
  const parts = WHEN.exec(text);
  if (parts === null) throw new UnusableRecord(`${field} "${text.slice(0, 40)}" is not a date`);
  const [, year, , month, day, hour, minute = "00", second = "00", offset] = parts;
  let date = [year, month, day].join("-");
  const dayMs = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(dayMs) || !new Date(dayMs).toISOString().startsWith(date))
    throw new UnusableRecord(`${field} ${date} is not a day of the calendar`);
  if (hour === undefined) return { date };
  let time = `${hour.padStart(2, "0")}:${minute}`;
  if (time === "24:00" && Number(second) === 0) {
    date = new Date(dayMs + 86_400_000).toISOString().slice(0, 10);
    time = "00:00";
  }
  if (Number(time.slice(0, 2)) > 23 || Number(minute) > 59 || Number(second) > 60)
    throw new UnusableRecord(`${field} ${time} is not a time of the day`);
  if (offset === undefined) return { date, time };
  return { instantMs: Date.parse(`${date}T${time}Z`) - offsetMs(offset, field) };
}

function offsetMs(offset: string, field: string): number {
  const [, sign, hours = "0", minutes = "0"] = /^([+-])(\d{1,2}):?(\d{2})?$/.exec(offset) ?? [];
  if (Number(hours) > 23 || Number(minutes) > 59)
    throw new UnusableRecord(`${field} has an offset that does not exist`);
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

/**
 * Reads a duration (ISO 8601). Undefined for none and for zero: the end is not known. Throws
 * UnusableRecord for anything else.
 */
export function durationOf(text: string | undefined, field: string): Temporal.Duration | undefined {
  if (text === undefined) return undefined;
  let duration: Temporal.Duration;
  try {
    duration = Temporal.Duration.from(text);
  } catch {
    throw new UnusableRecord(`${field} is not an ISO 8601 duration`);
  }
  if (duration.sign < 0) throw new UnusableRecord("it ends before it starts");
  return duration.sign === 0 ? undefined : duration;
}
