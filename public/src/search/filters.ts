/**
 * Filters of a search, as in the address of the page. Empty means any. `name` is what people type
 * in the first field: a name or a city.
 */
export type Filters = { name: string; location: string; type: string; from: string; to: string };

export const NO_FILTERS: Filters = { name: "", location: "", type: "", from: "", to: "" };
const NAMES = Object.keys(NO_FILTERS) as (keyof Filters)[];
const LENGTH_MAX: Record<keyof Filters, number> = {
  name: 100,
  location: 100,
  type: 50,
  from: 10,
  to: 10,
};
const PAGE_SIZE = 24;
const DAY_MS = 86_400_000;

/** Reads filters from an address. Ignores values that the API would refuse. */
export function filtersFrom(params: URLSearchParams): Filters {
  const filters = { ...NO_FILTERS };
  for (const name of NAMES) {
    const value = (params.get(name) ?? "").trim().slice(0, LENGTH_MAX[name]);
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

type Query = Partial<Omit<Filters, "name">> & { q?: string; limit: number };

/** Builds the API's query: the filters and the page size. */
export function queryOf(filters: Filters): Query {
  const { name, ...others } = Object.fromEntries(paramsOf(filters)) as Partial<Filters>;
  return { ...(name !== undefined && { q: name }), ...others, limit: PAGE_SIZE };
}

export function isDay(text: string): boolean {
  return (
    /^\d{4}-\d\d-\d\d$/.test(text) &&
    !Number.isNaN(Date.parse(text)) &&
    new Date(text).toISOString().startsWith(text)
  );
}

export type Span = "any" | "today" | "weekend" | "week" | "other";

/** Returns the days of a range, seen from `today`. A weekend that has begun counts. */
export function daysOf(span: Exclude<Span, "other">, today: string): Pick<Filters, "from" | "to"> {
  if (span === "any") return { from: "", to: "" };
  if (span === "today") return { from: today, to: today };
  if (span === "week") return { from: today, to: addDays(today, 6) };
  const weekday = (new Date(today).getUTCDay() + 6) % 7;
  return {
    from: weekday > 5 ? today : addDays(today, 5 - weekday),
    to: addDays(today, 6 - weekday),
  };
}

/** Returns the range that these days are. */
export function spanOf({ from, to }: Pick<Filters, "from" | "to">, today: string): Span {
  const spans = ["any", "today", "weekend", "week"] as const;
  return (
    spans.find((span) => daysOf(span, today).from === from && daysOf(span, today).to === to) ??
    "other"
  );
}

function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

/** Today in the visitor's time zone, as YYYY-MM-DD. */
export function localToday(date = new Date()): string {
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => String(part).padStart(2, "0"))
    .join("-");
}
