/** A value of the types DATE and DATE-TIME (RFC 5545, 3.3.4 and 3.3.5). */
export type LocalValue = { date: string; time?: string; utc: boolean };

/** Reads a DATE or DATE-TIME. Undefined: it is neither, or no such day or time exists. */
export function localValueOf(text: string): LocalValue | undefined {
  const [, year, month, day, hour, minute, second, utc] =
    /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z)?)?$/i.exec(text.trim()) ?? [];
  if (year === undefined) return undefined;
  const date = [year, month, day].join("-");
  const dayMs = Date.parse(`${date}T${hour ?? "00"}:${minute ?? "00"}:00Z`);
  if (Number.isNaN(dayMs) || !new Date(dayMs).toISOString().startsWith(date)) return undefined;
  if (Number(second ?? 0) > 60) return undefined;
  if (hour === undefined) return { date, utc: false };
  return { date, time: `${hour}:${minute}`, utc: utc !== undefined };
}

/** Returns a local time as if it was UTC, in milliseconds. Drops seconds. */
export function localMsOf(text: string): number | undefined {
  const value = localValueOf(text);
  return value === undefined ? undefined : Date.parse(`${value.date}T${value.time ?? "00:00"}Z`);
}
