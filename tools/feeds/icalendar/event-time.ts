import { UnusableRecord } from "../draft-event.ts";
import { isUtc, momentOf } from "../local-time.ts";
import { type Calendar, propertyIn } from "./calendar-events.ts";
import { localValueOf, type LocalValue } from "./local-value.ts";
import { zoneOfId } from "./zone-names.ts";

/**
 * `iana`: absent if no IANA zone has these times. `momentOf`: undefined before the first rule of a
 * file's zone that has no known name.
 */
export type EventZone = {
  iana?: string;
  momentOf: (date: string, time: string) => number | undefined;
};

/** A time of an event. Without `zone` and not `utc` it is floating, or a whole day. */
export type EventTime = LocalValue & { zone?: EventZone };

/** Returns the moment of a time, or undefined if its zone is not known here. */
export function momentIn({ date, time, utc, zone }: EventTime): number | undefined {
  if (time === undefined) return undefined;
  return utc ? Date.parse(`${date}T${time}Z`) : zone?.momentOf(date, time);
}

/** Reads DTSTART or DTEND. Throws UnusableRecord if it is no time, or its zone is not known. */
export function timeOf(
  lines: readonly string[],
  name: string,
  calendar: Calendar,
): EventTime | undefined {
  const property = propertyIn(lines, name);
  if (property === undefined) return undefined;
  const tzid = property.parameters.get("TZID");
  const { rest, text } =
    tzid === undefined ? { rest: "", text: property.value } : afterZone(property.value);
  const value = localValueOf(text);
  const named = tzid?.concat(rest).trim();
  if (value === undefined) throw new UnusableRecord(`${name} is not a date`);
  if (property.parameters.get("VALUE")?.toUpperCase() === "DATE" && value.time !== undefined)
    throw new UnusableRecord(`${name} says that it is a day, and has a time`);
  if (value.time === undefined || value.utc) return value;
  // A zone that only the file knows cannot be found later.
  const { zone: common = "", zones } = calendar;
  const id = named === undefined || named === "" ? zones.has(common) && common : named;
  if (id === false) return value;
  const zone = zoneIn(id, calendar);
  if (zone === undefined) throw new UnusableRecord(`time zone "${id.slice(0, 40)}" is not known`);
  if (zone.iana !== undefined && isUtc(zone.iana)) return { ...value, utc: true };
  // The name fits the rules of the file only where it gives the same moment.
  const { iana, ...unnamed } = zone;
  const ownMs = zone.momentOf(value.date, value.time);
  const knownMs = iana === undefined ? undefined : momentOf(value.date, value.time, iana);
  if (ownMs === undefined && knownMs === undefined)
    throw new UnusableRecord(`time zone "${id.slice(0, 40)}" has no offset at this time`);
  const fits = knownMs !== undefined && (ownMs === undefined || ownMs === knownMs);
  return { ...value, zone: fits ? zone : unnamed };
}

/** Finds a zone: the VTIMEZONE of the file, else a known one. */
export function zoneIn(id: string, { zones }: Calendar): EventZone | undefined {
  const own = zones.get(id);
  const iana = (own?.location === undefined ? undefined : zoneOfId(own.location)) ?? zoneOfId(id);
  if (own !== undefined)
    return {
      momentOf: (date, time) =>
        own.momentOf(Date.parse(`${date}T${time}Z`)) ??
        (iana === undefined ? undefined : momentOf(date, time, iana)),
      ...(iana === undefined ? {} : { iana }),
    };
  return iana === undefined
    ? undefined
    : { iana, momentOf: (date, time) => momentOf(date, time, iana) };
}

/** Some calendars write a zone with a colon in it without quotes ("tzone://Microsoft/Custom"). */
function afterZone(value: string): { rest: string; text: string } {
  const colon = value.lastIndexOf(":");
  return { rest: colon < 0 ? "" : `:${value.slice(0, colon)}`, text: value.slice(colon + 1) };
}
