import ICAL from "ical.js";
import { Temporal } from "temporal-polyfill";

const OF_WINDOWS = new Map([["W. Europe Standard Time", "Europe/Berlin"]]);

/**
 * A time as ical.js reads it: a moment, or a local time without a zone. `known`: the moment by the
 * tz database, which counts where the file's zone is damaged. `day`: a whole day.
 */
export type SecondTime = { ms: number; known?: number } | { local: string; day: boolean };
export type SecondEvent = { uid: string; start: SecondTime; end?: SecondTime };

/** Reads a calendar with ical.js. Undefined where it cannot, or where its zones are damaged. */
export function readWithIcalJs(calendar: string): SecondEvent[] | undefined {
  // ical.js reads a lower-case z as no zone, carries the leap second, and knows days by VALUE only.
  const plain = calendar
    .replace(/\d{8}t\d{6}z?/gi, (time) => time.toUpperCase().replace(/60(?=Z?$)/, "59"))
    .replace(/^(DTSTART|DTEND):(?=\d{8}\r?$)/gim, "$1;VALUE=DATE:");
  try {
    const parsed = ICAL.parse(plain) as unknown[];
    const roots = (typeof parsed[0] === "string" ? [parsed] : parsed) as ConstructorParameters<
      typeof ICAL.Component
    >[0][];
    return roots.flatMap((root) => {
      const component = new ICAL.Component(root);
      if (!component.getAllSubcomponents("vtimezone").every(isSound))
        throw new RangeError("a broken zone");
      return component.getAllSubcomponents("vevent").map(eventOf);
    });
  } catch {
    return undefined;
  }
}

function eventOf(component: ICAL.Component): SecondEvent {
  const uid = String(component.getFirstPropertyValue("uid") ?? "");
  const event = new ICAL.Event(component);
  const start = timeOf(event.startDate, component.getFirstProperty("dtstart"));
  const end = endOf(event, start);
  return { uid, start, ...(end === undefined ? {} : { end }) };
}

function endOf(event: ICAL.Event, start: SecondTime): SecondTime | undefined {
  const { component } = event;
  const dtend = component.getFirstProperty("dtend");
  if (dtend !== null) return timeOf(event.endDate, dtend);
  if (!component.hasProperty("duration")) return undefined;
  const { weeks, days } = event.duration;
  // ical.js adds hours to the local time, RFC 5545 to the moment.
  if ("ms" in start && weeks === 0 && days === 0)
    return { ms: minuteOf(start.ms + event.duration.toSeconds() * 1_000) };
  return timeOf(event.endDate, component.getFirstProperty("dtstart"));
}

function timeOf(time: ICAL.Time, property: ICAL.Property | null): SecondTime {
  const local = time.toString().slice(0, 16);
  if (!/^\d{4}-\d\d-\d\d/.test(local)) throw new RangeError("no date");
  if (time.isDate) return { local: local.slice(0, 10), day: true };
  const known = knownMoment(local, property?.getFirstParameter("tzid"));
  if (time.zone.tzid === "UTC" || time.zone !== ICAL.Timezone.localTimezone)
    return { ms: minuteOf(time.toUnixTime() * 1_000), ...(known === undefined ? {} : { known }) };
  // ical.js knows no zones but the file's.
  return known === undefined ? { local, day: false } : { ms: known };
}

function knownMoment(local: string, id: string | undefined): number | undefined {
  if (id === undefined || id === "") return undefined;
  try {
    const zone = OF_WINDOWS.get(id) ?? id;
    return Temporal.PlainDateTime.from(local).toZonedDateTime(zone).epochMilliseconds;
  } catch {
    return undefined;
  }
}

function minuteOf(ms: number): number {
  return Math.floor(ms / 60_000) * 60_000;
}

/**
 * Tells whether ical.js can read a zone. It makes 0 of an offset that it cannot read, and forgets
 * DTSTART beside RDATE, and RDATEs that are out of order.
 */
function isSound(zone: ICAL.Component): boolean {
  const observances = zone.getAllSubcomponents();
  const has = (one: ICAL.Component, name: string): boolean =>
    one.getAllProperties(name).length === 1;
  return (
    ["dtstart", "tzoffsetfrom", "tzoffsetto", "rrule", "rdate"].every(
      (name) => !zone.hasProperty(name),
    ) &&
    observances.every(
      (one) =>
        /^(standard|daylight)$/.test(one.name) &&
        has(one, "dtstart") &&
        ["tzoffsetfrom", "tzoffsetto"].every(
          (name) =>
            has(one, name) &&
            /^[+-](0\d|1[0-5]):[0-5]\d$/.test(String(one.getFirstPropertyValue(name))),
        ) &&
        (!one.hasProperty("rdate") || isOrdered(one)),
    )
  );
}

function isOrdered(observance: ICAL.Component): boolean {
  const onsets = ["dtstart", "rdate"].flatMap((name) =>
    observance.getAllProperties(name).map((property) => String(property.getFirstValue())),
  );
  const sorted = onsets.slice(1).toSorted();
  return onsets.includes(onsets[0] ?? "", 1) && sorted.join() === onsets.slice(1).join();
}
