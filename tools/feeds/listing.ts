import {
  EVENT_STATUSES,
  type EventStatus,
  isEventStatus,
  isTime,
} from "../../domain/event-record.ts";
import {
  type Draft,
  idOf,
  numberOf,
  present,
  type Raw,
  requiredName,
  textOf,
  UnusableRecord,
  type When,
  urlOf,
} from "./draft-event.ts";
import { imageOf } from "./schema-org.ts";
import { whenOf } from "./when.ts";

/**
 * Reads a record with the field names of the API's Event. Accepts `capacity` for `totalCapacity`.
 */
export function readListing(raw: Raw): Draft {
  const name = requiredName(raw);
  const start = startOf(raw);
  const draft: Draft = { source: "json", name, start };
  const duration = numberOf(raw, "duration");
  const endTime = textOf(raw, "endTime");
  if (endTime !== undefined && !isTime(endTime)) throw new UnusableRecord("endTime is not HH:MM");
  if (duration !== undefined && duration <= 0)
    throw new UnusableRecord("duration is not a number of minutes above 0");
  if (duration !== undefined) draft.durationMinutes = duration;
  else if (endTime !== undefined && "date" in start)
    draft.end = { date: endDate(start, endTime), time: endTime };
  return {
    ...draft,
    ...present({
      id: idOf(raw, "id"),
      type: textOf(raw, "type"),
      location: textOf(raw, "location"),
      country: textOf(raw, "country"),
      url: urlOf(raw),
      image: imageOf(raw),
      timeZone: textOf(raw, "timeZone"),
      status: statusOf(raw),
      capacity: numberOf(raw, "totalCapacity") ?? numberOf(raw, "capacity"),
    }),
  };
}

function statusOf(raw: Raw): EventStatus | undefined {
  const text = textOf(raw, "status")?.toLowerCase();
  if (text === undefined || isEventStatus(text)) return text;
  if (text === "canceled") return "cancelled";
  throw new UnusableRecord(`status is not one of ${EVENT_STATUSES.join(", ")}`);
}

function startOf(raw: Raw): When {
  const date = textOf(raw, "date");
  if (date === undefined) {
    const startsAt = textOf(raw, "startsAt");
    if (startsAt === undefined) throw new UnusableRecord("date is missing");
    return whenOf(startsAt, "startsAt");
  }
  const day = whenOf(date, "date");
  const time = textOf(raw, "startTime");
  if (time === undefined || !("date" in day)) return day;
  if (!isTime(time)) throw new UnusableRecord("startTime is not HH:MM");
  return { date: day.date, time };
}

/**
 * Returns the end date. An event that ends at an earlier hour than it starts ends on the next
 * day; the same hour means that its end is not known.
 */
function endDate(start: { date: string; time?: string }, endTime: string): string {
  if (start.time === undefined || endTime >= start.time) return start.date;
  return new Date(Date.parse(`${start.date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}
