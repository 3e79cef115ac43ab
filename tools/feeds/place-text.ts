import { countryCode, isCity } from "./zones.ts";

/**
 * Finds the city in a place written as one text ("Jazz Bar, Hauptstr. 5, 10115 Berlin,
 * Germany"). Reads from the end: first a country, then the first part in the table of cities,
 * without post code. Without a known city the whole text is the location.
 */
export function placeIn(text: string): { location?: string; country?: string } {
  if (/^(online|virtual|zoom|webinar|remote)\b/i.test(text) || /^https?:/.test(text)) return {};
  const parts = text.split(/\s*[,;\n|]\s*/).filter(Boolean);
  const last = parts.at(-1);
  const country =
    parts.length > 1 &&
    last !== undefined &&
    countryCode(last) !== undefined &&
    !/^[A-Z]{2}$/.test(last)
      ? last
      : undefined;
  if (country !== undefined) parts.pop();
  for (const [index, part] of [...parts.entries()].reverse()) {
    const city = part.replace(/\b[A-Z]{0,2}-?\d[\dA-Z -]*\b/g, "").trim();
    if (city === "" || !isCity(city)) continue;
    const state = /^[A-Z]{2}\b/.exec(parts[index + 1] ?? "")?.[0];
    return {
      location: state === undefined ? city : `${city}, ${state}`,
      ...(country === undefined ? {} : { country }),
    };
  }
  const [first = text] = parts;
  return {
    location: text.length <= 100 ? text : first,
    ...(country === undefined ? {} : { country }),
  };
}
