/** What is searched for, as it stands in the address: every search can be kept, sent and gone back to. Empty means any. */
export type Filters = { name: string; location: string; type: string; from: string; to: string };

export const NO_FILTERS: Filters = { name: "", location: "", type: "", from: "", to: "" };
const NAMES = Object.keys(NO_FILTERS) as (keyof Filters)[];
const LONGEST: Record<keyof Filters, number> = {
  name: 100,
  location: 100,
  type: 50,
  from: 10,
  to: 10,
};
const PAGE = 24;
const DAY_MS = 86_400_000;

/** Reads an address. What the API would refuse (a date that is none) is no filter. */
export function filtersFrom(params: URLSearchParams): Filters {
  const filters = { ...NO_FILTERS };
  for (const name of NAMES) {
    const value = (params.get(name) ?? "").trim().slice(0, LONGEST[name]);
    if ((name === "from" || name === "to") && !isDay(value)) continue;
    filters[name] = value;
  }
  return filters;
}

export function paramsOf(filters: Filters): URLSearchParams {
  return new URLSearchParams(
    NAMES.filter((name) => filters[name] !== "").map((name): [string, string] => [
      name,
      filters[name],
    ]),
  );
}

/** The API's query: the same names, and how many at a time. */
export function queryOf(filters: Filters): Partial<Filters> & { limit: number } {
  return { ...(Object.fromEntries(paramsOf(filters)) as Partial<Filters>), limit: PAGE };
}

export function isDay(text: string): boolean {
  return (
    /^\d{4}-\d\d-\d\d$/.test(text) &&
    !Number.isNaN(Date.parse(text)) &&
    new Date(text).toISOString().startsWith(text)
  );
}

export type Span = "any" | "today" | "weekend" | "week" | "other";

/** The days a word stands for, seen from a day (YYYY-MM-DD). A weekend that has begun is this one. */
export function daysOf(span: Exclude<Span, "other">, today: string): Pick<Filters, "from" | "to"> {
  if (span === "any") return { from: "", to: "" };
  if (span === "today") return { from: today, to: today };
  if (span === "week") return { from: today, to: later(today, 6) };
  const weekday = (new Date(today).getUTCDay() + 6) % 7;
  return { from: weekday > 5 ? today : later(today, 5 - weekday), to: later(today, 6 - weekday) };
}

/** Which word these days are. */
export function spanOf({ from, to }: Pick<Filters, "from" | "to">, today: string): Span {
  const words = ["any", "today", "weekend", "week"] as const;
  return (
    words.find((word) => daysOf(word, today).from === from && daysOf(word, today).to === to) ??
    "other"
  );
}

function later(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

/** The reader's own day. */
export function todayHere(now = new Date()): string {
  return [now.getFullYear(), now.getMonth() + 1, now.getDate()]
    .map((part) => String(part).padStart(2, "0"))
    .join("-");
}
