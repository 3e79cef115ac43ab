import { cityInRegion, countryCode, isCity, stateOfUsa } from "./zones.ts";

const POST_CODE = /(?<![\p{L}\d])[A-Z]{0,2}-?\d[\dA-Z -]*(?![\p{L}\d])/gu;

/**
 * Finds the city in a place written as one text ("Jazz Bar, Hauptstr. 5, 10115 Berlin,
 * Germany"). Reads from the end: first a country, then the first part in the table of cities,
 * without post code. Without a known city the whole text is the location.
 */
export function placeIn(text: string): { location?: string; country?: string } {
  if (/^(online|virtual|zoom|webinar|remote)\b/i.test(text) || /^https?:/.test(text)) return {};
  const parts = text.split(/\s*[,;\n|]\s*/).filter(Boolean);
  const country = countryAtEnd(parts);
  if (country !== undefined) parts.pop();
  for (const [index, part] of [...parts.entries()].reverse()) {
    const city = part.replace(POST_CODE, "").trim();
    if (city === "" || !isCity(city)) continue;
    const region = parts[index + 1]?.replace(POST_CODE, "").trim();
    return {
      location: cityInRegion(city, region, country),
      ...(country === undefined ? {} : { country }),
    };
  }
  const [first = text] = parts;
  return {
    location: text.length <= 100 ? text : first,
    ...(country === undefined ? {} : { country }),
  };
}

/** The last part, if it is a country. Two letters are a state ("Austin, TX") more often. */
function countryAtEnd(parts: readonly string[]): string | undefined {
  const last = parts.at(-1);
  if (parts.length < 2 || last === undefined || /^[A-Z]{2}$/.test(last)) return undefined;
  if (countryCode(last) === undefined) return undefined;
  // Atlanta, Georgia.
  const isState =
    stateOfUsa(last) !== undefined &&
    parts.slice(0, -1).some((part) => cityInRegion(part, last) !== part && isCity(part, last));
  return isState ? undefined : last;
}
