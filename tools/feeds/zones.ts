import cities from "city-timezones";
import countries from "countries-and-timezones";
import { fold } from "../../domain/text-folding.ts";
import { zoneNamed } from "./local-time.ts";

/** Names and spellings of countries that the tables lack. */
const COUNTRY_ALIASES: Readonly<Record<string, string>> = {
  uk: "GB", "great britain": "GB", britain: "GB", england: "GB", scotland: "GB", wales: "GB",
  "northern ireland": "GB", "united states": "US", america: "US", holland: "NL",
  "the netherlands": "NL", korea: "KR", "republic of korea": "KR", "czech republic": "CZ",
  macedonia: "MK", "viet nam": "VN", turkiye: "TR", "hong kong": "HK", uae: "AE", macau: "MO",
  "cote d'ivoire": "CI", swaziland: "SZ", burma: "MM", eire: "IE", "republic of ireland": "IE",
  deutschland: "DE", osterreich: "AT", schweiz: "CH", suisse: "CH", espana: "ES", italia: "IT",
  brasil: "BR", polska: "PL", danmark: "DK", sverige: "SE", norge: "NO", suomi: "FI",
}; // prettier-ignore

/** Spellings of cities that the table lacks. */
const CITY_ALIASES: Readonly<Record<string, string>> = {
  bangalore: "bengaluru", kiev: "kyiv", gurgaon: "delhi", milano: "milan", genova: "genoa",
  napels: "naples", "ho chi minh": "ho chi minh city", saigon: "ho chi minh city", koln: "cologne",
  munchen: "munich", nurnberg: "nuremberg", wien: "vienna", praha: "prague", warszawa: "warsaw",
  lisboa: "lisbon", roma: "rome", "frankfurt am main": "frankfurt", brooklyn: "new york",
  "new york city": "new york", "den haag": "the hague", tenerife: "santa cruz de tenerife",
  "gran canaria": "las palmas",
}; // prettier-ignore

type City = { timezone: string; iso2: string; state: string; pop: number };

const cityIndex = new Map<string, City[]>();
const countryIndex = new Map<string, string>();
/** Inhabitants per time zone, of a country ("DE") and of a state ("US-CA"). */
const peopleByZone = new Map<string, Map<string, number>>();

for (const {
  city,
  city_ascii: ascii,
  timezone,
  iso2,
  pop,
  country,
  ...rest
} of cities.cityMapping) {
  if (!timezone) continue;
  const state = (rest as { state_ansi?: string }).state_ansi ?? "";
  const entry: City = { timezone, iso2, state, pop };
  for (const key of new Set([fold(city), fold(ascii)]))
    cityIndex.set(key, [...(cityIndex.get(key) ?? []), entry]);
  if (iso2 !== "") countryIndex.set(countryKey(country), iso2);
  for (const area of state === "" ? [iso2] : [iso2, `${iso2}-${state}`]) {
    const people = peopleByZone.get(area) ?? new Map<string, number>();
    people.set(timezone, (people.get(timezone) ?? 0) + pop);
    peopleByZone.set(area, people);
  }
}
for (const { id, name } of Object.values(countries.getAllCountries()))
  countryIndex.set(countryKey(name), id).set(countryKey(id), id);
for (const [alias, id] of Object.entries(COUNTRY_ALIASES)) countryIndex.set(countryKey(alias), id);
countryIndex.set("usa", "US");

/** Returns the ISO code of a country in any spelling ("U.S.A.", "England", "de"). */
export function countryCode(country: string): string | undefined {
  return countryIndex.get(countryKey(country));
}

/** Tells whether the tables contain a city of this name. */
export function isCity(name: string): boolean {
  return citiesNamed(name).length > 0;
}

/** Returns the zone of a city: the one in that country and state, else the largest of that name. */
export function zoneOfCity(name: string, country?: string): string | undefined {
  const state = stateOf(name);
  const code = country === undefined ? undefined : countryCode(country);
  const named = citiesNamed(name).filter(
    (city) => code === undefined || city.iso2 === code || city.iso2 === "",
  );
  const inState = state === undefined ? [] : named.filter((city) => city.state === state);
  const [largest] = (inState.length > 0 ? inState : named).toSorted((a, b) => b.pop - a.pop);
  if (state !== undefined && inState.length === 0 && (code === undefined || code === "US")) {
    const zone = mostPeople(`US-${state}`);
    if (zone !== undefined) return zone;
  }
  return largest === undefined ? undefined : zoneNamed(largest.timezone);
}

/** Returns the zone with the most inhabitants of a country. */
export function zoneOfCountry(country: string): string | undefined {
  const code = countryCode(country);
  if (code === undefined) return undefined;
  return (
    mostPeople(code) ??
    countries
      .getTimezonesForCountry(code)
      ?.map(({ name }) => zoneNamed(name))
      .find((zone) => zone !== undefined)
  );
}

function mostPeople(area: string): string | undefined {
  const [most] = [...(peopleByZone.get(area) ?? [])].sort((a, b) => b[1] - a[1]);
  return most === undefined ? undefined : zoneNamed(most[0]);
}

/** Looks up "Austin, TX" as Austin. */
function citiesNamed(name: string): City[] {
  const key = fold(name).replace(/,.*$/, "");
  return (
    cityIndex.get(key) ??
    cityIndex.get(CITY_ALIASES[key] ?? "") ??
    cityIndex.get(key.replace(/[.']/g, "").replace(/^st /, "saint ")) ??
    []
  );
}

function stateOf(name: string): string | undefined {
  return /, ([A-Z]{2})$/.exec(name)?.[1];
}

function countryKey(country: string): string {
  return fold(country).replaceAll(".", "").trim();
}
