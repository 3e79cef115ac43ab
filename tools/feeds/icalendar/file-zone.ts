import { RRuleTemporal } from "rrule-temporal";
import { nameOfLine, propertyOf } from "./content-lines.ts";
import { localMsOf } from "./local-value.ts";

/** A VTIMEZONE of a file (RFC 5545, 3.6.5). */
export type FileZone = {
  /** TZID. */
  id: string;
  /** X-LIC-LOCATION: the IANA zone that it was made of. */
  location?: string;
  /**
   * Returns the moment (UTC, milliseconds) of a local time (as if it was UTC). A time in the gap of
   * spring moves behind it; a repeated time means the first one. Undefined before the first rule.
   */
  momentOf: (localMs: number) => number | undefined;
};

/** Offsets in milliseconds. `rule`: an RRULE without its UNTIL. */
type Observance = {
  startMs: number;
  fromMs: number;
  toMs: number;
  rule?: string;
  untilMs: number;
  extraMs: number[];
};
type Change = { atMs: number; fromMs: number; toMs: number };

const YEAR_MS = 366 * 86_400_000;
const OBSERVANCES_MAX = 500;
/** Properties of observances. A zone itself has none of them. */
const OF_OBSERVANCES = new Set(["DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"]);

/** Reads the lines between BEGIN and END of a VTIMEZONE. Undefined: it gives no offsets. */
export function readFileZone(lines: readonly string[]): FileZone | undefined {
  try {
    const [id, location] = ["TZID", "X-LIC-LOCATION"].map((name) => valueIn(lines, name)?.trim());
    const observances = observancesIn(lines);
    if (id === undefined || observances.length === 0) return undefined;
    const momentOf = momentsBy(observances);
    // A rule that cannot be read must show now, not in the middle of an event.
    momentOf(Date.UTC(2027, 6, 1));
    return { id, momentOf, ...(location === undefined ? {} : { location }) };
  } catch {
    return undefined;
  }
}

/** Throws RangeError where the structure is broken: half of a zone gives wrong moments. */
function observancesIn(lines: readonly string[]): Observance[] {
  const found: Observance[] = [];
  let part: { name: string; lines: string[] } | undefined;
  for (const line of lines) {
    const [, step, name = ""] = /^\s*(BEGIN|END)\s*:\s*(.*?)\s*$/.exec(line.toUpperCase()) ?? [];
    if (step === undefined && part !== undefined) part.lines.push(line);
    else if (step === undefined && OF_OBSERVANCES.has(nameOfLine(line)))
      throw new RangeError("lost line");
    else if (step === "BEGIN" && part === undefined && /^(STANDARD|DAYLIGHT)$/.test(name))
      part = { name, lines: [] };
    else if (step === "END" && part?.name === name) {
      found.push(observanceOf(part.lines));
      part = undefined;
    } else if (step !== undefined) throw new RangeError("broken structure");
  }
  if (part !== undefined || found.length > OBSERVANCES_MAX) throw new RangeError("no end");
  return found;
}

function observanceOf(lines: readonly string[]): Observance {
  const start = valueIn(lines, "DTSTART") ?? "";
  // A local time, and nothing else (RFC 5545, 3.6.5).
  const startMs = /^\d{8}T\d{6}$/i.test(start) ? localMsOf(start) : undefined;
  const fromMs = offsetOf(valueIn(lines, "TZOFFSETFROM"));
  const toMs = offsetOf(valueIn(lines, "TZOFFSETTO"));
  if (startMs === undefined) throw new RangeError("no DTSTART");
  const rule = valueIn(lines, "RRULE")?.toUpperCase();
  const until = /(?:^|;)UNTIL=(\d{8}(?:T\d{6})?)(Z?)/.exec(rule ?? "");
  // Others than yearly rules never end to count, and none is known.
  if (
    rule !== undefined &&
    !/^FREQ=YEARLY(;(UNTIL|INTERVAL|COUNT|WKST|BY(MONTH|DAY|MONTHDAY|YEARDAY|WEEKNO|SETPOS))=[^;]+)*;?$/.test(
      rule,
    )
  )
    throw new RangeError("no yearly rule");
  const untilMs = localMsOf(until?.[1] ?? "");
  return {
    startMs,
    fromMs,
    toMs,
    untilMs: untilMs === undefined ? Infinity : untilMs - (until?.[2] === "Z" ? 0 : fromMs),
    extraMs: lines
      .filter((line) => nameOfLine(line) === "RDATE")
      .flatMap((line) => propertyOf(line).value.split(","))
      .map((text) => localMsOf(text.trim()))
      .filter((ms) => ms !== undefined),
    ...(rule === undefined ? {} : { rule: rule.replace(/;?UNTIL=[^;]*/, "").replace(/;$/, "") }),
  };
}

/** Throws RangeError for a property that is there twice, and a DTSTART that is no local time. */
function valueIn(lines: readonly string[], name: string): string | undefined {
  const [line, ...others] = lines.filter((one) => nameOfLine(one) === name);
  if (others.length > 0) throw new RangeError(`${name} is there twice`);
  if (line === undefined) return undefined;
  const { parameters, value } = propertyOf(line);
  if (parameters.size > 0 && name === "DTSTART") throw new RangeError("DTSTART is not local");
  return value.trim();
}

function offsetOf(text: string | undefined): number {
  const [, sign, hours, minutes, seconds = "0"] =
    /^([+-])(\d{2}):?(\d{2})(\d{2})?$/.exec(text ?? "") ?? [];
  if (sign === undefined || Number(minutes) > 59 || Number(hours) > (sign === "-" ? 12 : 14))
    throw new RangeError("no offset");
  const ms = (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000;
  return sign === "-" ? -ms : ms;
}

/** Caches the changes of offset around each year. */
function momentsBy(observances: readonly Observance[]): FileZone["momentOf"] {
  const byYear = new Map<number, Change[]>();
  return (localMs) => {
    const year = new Date(localMs).getUTCFullYear();
    let changes = byYear.get(year);
    if (changes === undefined) byYear.set(year, (changes = changesAround(year, observances)));
    return momentAmong(changes, localMs);
  };
}

/** All changes from the last one before the year before `year` to the end of the year after. */
function changesAround(year: number, observances: readonly Observance[]): Change[] {
  const [fromMs, toMs] = [Date.UTC(year - 1, 0), Date.UTC(year + 2, 0)];
  const changes = observances.flatMap((one) =>
    onsetsOf(one, fromMs, toMs).map((localMs) => ({
      atMs: localMs - one.fromMs,
      fromMs: one.fromMs,
      toMs: one.toMs,
      untilMs: one.untilMs,
    })),
  );
  return changes
    .filter(({ atMs, untilMs }) => atMs <= untilMs)
    .sort((one, other) => one.atMs - other.atMs);
}

/** Local times at which an observance begins, from the last before the range to its end. */
function onsetsOf({ startMs, rule, extraMs, untilMs }: Observance, fromMs: number, toMs: number) {
  const onsets = [startMs, ...extraMs].filter((ms) => ms < toMs);
  if (rule === undefined || startMs >= toMs) return onsets;
  const counts = /COUNT=|INTERVAL=(?!1\b)/.test(rule);
  const lastMs = Math.min(toMs, untilMs === Infinity ? toMs : untilMs + 86_400_000);
  // A rule of 1601 need not be counted from there.
  const early = Math.min(fromMs, lastMs) - 2 * YEAR_MS;
  const first = new Date(startMs);
  if (!counts && startMs < early) first.setUTCFullYear(new Date(early).getUTCFullYear());
  const stamp = first.toISOString().replace(/[-:]|\.\d+/g, "");
  const dates = new RRuleTemporal({
    rruleString: `DTSTART:${stamp}\nRRULE:${rule}`,
    maxIterations: 2_000,
  }).between(new Date(first.getTime() - 1), new Date(lastMs), true);
  if (dates.length === 0 && untilMs === Infinity && !counts) throw new RangeError("an empty rule");
  return [...onsets, ...dates.map(({ epochMilliseconds }) => epochMilliseconds)];
}

function momentAmong(changes: readonly Change[], localMs: number): number | undefined {
  const offsetAt = (ms: number): number | undefined =>
    changes.findLast(({ atMs }) => atMs <= ms)?.toMs;
  const moments = [...new Set(changes.map(({ toMs }) => toMs))]
    .map((offsetMs) => ({ ms: localMs - offsetMs, offsetMs }))
    .filter(({ ms, offsetMs }) => offsetAt(ms) === offsetMs)
    .map(({ ms }) => ms);
  if (moments.length > 0) return Math.min(...moments);
  // In the gap of a change: the offset before it counts.
  const gap = changes.find(
    ({ atMs, fromMs, toMs }) => atMs + fromMs <= localMs && localMs < atMs + toMs,
  );
  return gap === undefined ? undefined : localMs - gap.fromMs;
}
