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

/** Codes of provinces that addresses carry. Those of the USA are in the table of cities. */
const PROVINCES: Readonly<Record<string, string>> = {
  "CA-AB": "alberta", "CA-BC": "british columbia", "CA-MB": "manitoba", "CA-NB": "new brunswick",
  "CA-NL": "newfoundland and labrador", "CA-NS": "nova scotia", "CA-NT": "northwest territories",
  "CA-NU": "nunavut", "CA-ON": "ontario", "CA-PE": "prince edward island", "CA-QC": "quebec",
  "CA-SK": "saskatchewan", "CA-YT": "yukon", "AU-ACT": "australian capital territory",
  "AU-NSW": "new south wales", "AU-NT": "northern territory", "AU-QLD": "queensland",
  "AU-SA": "south australia", "AU-TAS": "tasmania", "AU-VIC": "victoria",
  "AU-WA": "western australia",
}; // prettier-ignore

/** `region`: the code of a state of the USA, else the folded name of a province. */
type City = { timezone: string; iso2: string; region: string; pop: number };

const cityIndex = new Map<string, City[]>();
const countryIndex = new Map<string, string>();
/** Codes of regions by country and name ("US-missouri": MO, "CA-on": ontario). */
const regionIndex = new Map<string, string>();
/** Inhabitants per time zone, of a country ("DE") and of a region ("US-CA"). */
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
  const { state_ansi: state, province } = rest as { state_ansi?: string; province?: string };
  const region = state ?? fold(province ?? "");
  const entry: City = { timezone, iso2, region, pop };
  if (region !== "")
    regionIndex
      .set(`${iso2}-${fold(province ?? region)}`, region)
      .set(`${iso2}-${fold(region)}`, region);
  for (const key of new Set([fold(city), fold(ascii)]))
    cityIndex.set(key, [...(cityIndex.get(key) ?? []), entry]);
  if (iso2 !== "") countryIndex.set(countryKey(country), iso2);
  for (const area of region === "" ? [iso2] : [iso2, `${iso2}-${region}`]) {
    const people = peopleByZone.get(area) ?? new Map<string, number>();
    people.set(timezone, (people.get(timezone) ?? 0) + pop);
    peopleByZone.set(area, people);
  }
}
for (const { id, name } of Object.values(countries.getAllCountries()))
  countryIndex.set(countryKey(name), id).set(countryKey(id), id);
for (const [alias, id] of Object.entries(COUNTRY_ALIASES)) countryIndex.set(countryKey(alias), id);
countryIndex.set("usa", "US");
for (const [code, name] of Object.entries(PROVINCES)) {
  const [country = "", short = ""] = code.split("-");
  const region = regionIndex.get(`${country}-${name}`) ?? name;
  regionIndex.set(`${country}-${fold(short)}`, region);
}

/** Returns the ISO code of a country in any spelling ("U.S.A.", "England", "de"). */
export function countryCode(country: string): string | undefined {
  return countryIndex.get(countryKey(country));
}

/** Tells whether the tables contain a city of this name, or one in this state of the USA. */
export function isCity(name: string, state?: string): boolean {
  const region = state === undefined ? undefined : regionCode(state, "US");
  return citiesNamed(name).some((city) => region === undefined || city.region === region);
}

/**
 * Returns the zone of a city: the one in that country and region ("Portland, ME"), else that of the
 * region, else the largest of that name.
 */
export function zoneOfCity(name: string, country?: string): string | undefined {
  const code = country === undefined ? undefined : countryCode(country);
  const region = regionCode(name.split(/, /)[1], code ?? "US");
  const named = citiesNamed(name).filter(
    ({ iso2 }) => code === undefined || iso2 === code || iso2 === "",
  );
  const inRegion = region === undefined ? [] : named.filter((city) => city.region === region);
  if (region !== undefined && inRegion.length === 0) {
    const zone = mostPeople(`${code ?? "US"}-${region}`);
    if (zone !== undefined) return zone;
  }
  const [largest] = (inRegion.length > 0 ? inRegion : named).toSorted((a, b) => b.pop - a.pop);
  return largest === undefined ? undefined : zoneNamed(largest.timezone);
}

/**
 * Names a city with its region where its country has other cities of that name, and always in the
 * USA, Canada and Australia: "Portland, ME". `region` is a code or a name.
 */
export function cityInRegion(city: string, region: string | undefined, country?: string): string {
  const code = country === undefined ? "US" : countryCode(country);
  const text = region?.replace(/^[A-Z]{2}-(?=[A-Z\d]{1,3}$)/, "");
  const found = code === undefined ? undefined : regionCode(text, code);
  if (code === undefined || text === undefined || found === undefined || city.includes(","))
    return city;
  const places = citiesNamed(city).filter(({ iso2 }) => iso2 === code);
  const isAmbiguous = new Set(places.map((place) => place.region)).size > 1;
  if (!isAmbiguous && !["US", "CA", "AU"].includes(code)) return city;
  const short = Object.entries(PROVINCES).find(
    ([key, name]) => key.startsWith(`${code}-`) && regionCode(name, code) === found,
  );
  return `${city}, ${code === "US" ? found : (short?.[0].slice(3) ?? text)}`;
}

/** Tells whether a text is the name of a state of the USA ("Georgia" is one, and a country). */
export function stateOfUsa(text: string): string | undefined {
  return regionCode(text, "US");
}

/** Tells whether a zone is one of a country's. */
export function isZoneOfCountry(zone: string, country: string): boolean {
  const code = countryCode(country);
  return (
    code === undefined ||
    (countries.getTimezonesForCountry(code) ?? []).some(({ name }) => name === zone) ||
    peopleByZone.get(code)?.has(zone) === true
  );
}

function regionCode(text: string | undefined, country: string): string | undefined {
  return text === undefined ? undefined : regionIndex.get(`${country}-${fold(text)}`);
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

function countryKey(country: string): string {
  return fold(country).replaceAll(".", "").trim();
}
