import type { SearchParams } from "../../../services/catalog/search/search-filters.ts";
import { pick, type Random, seededRandom } from "../../testing/seeded-random.ts";

/**
 * Exponent of Zipf's law for the popularity of searches. Web pages have 0.64 to 0.83 (Breslau et
 * al., "Web caching and Zipf-like distributions", INFOCOM 1999); words and queries are nearer to 1.
 */
export const ZIPF_EXPONENT = 1;

/**
 * Returns `count` different paths of searches, the most popular first: plain list, cities, types,
 * words, days, combinations, later pages.
 */
export function searchPaths(
  events: readonly { name: string; location: string; type: string; date: string }[],
  count: number,
): string[] {
  const random = seededRandom(7);
  const paths = new Set<string>([pathOf({})]);
  while (paths.size < count) {
    const event = pick(events, random);
    const search = pick(WAYS, random)(event, random);
    paths.add(pathOf(search));
  }
  return [...paths];
}

type Known = { name: string; location: string; type: string; date: string };

/** A way that is listed twice is drawn twice as often. */
const WAYS: readonly ((event: Known, random: Random) => SearchParams)[] = [
  ({ location }) => ({ location }),
  ({ location }) => ({ location }),
  ({ location, type }) => ({ location, type }),
  ({ type }) => ({ type }),
  ({ name }, random) => ({ name: wordOf(name, random) }),
  ({ name }, random) => ({ name: wordOf(name, random) }),
  ({ name }, random) => ({ name: wordOf(name, random).slice(0, 1 + Math.floor(random() * 4)) }),
  ({ location, date }) => ({ location, date }),
  ({ date }) => ({ date }),
  ({ location, date }) => ({ location, from: date }),
  ({ type, date }) => ({ type, from: date }),
  ({ name, location }, random) => ({ name: wordOf(name, random), location }),
];

function wordOf(name: string, random: Random): string {
  return pick(name.split(/\s+/).filter(Boolean), random).toLowerCase();
}

/** Path and query of a search. */
export function pathOf(search: SearchParams): string {
  const query = new URLSearchParams(
    Object.entries(search).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return query === "" ? "/api/events" : `/api/events?${query}`;
}

/** Draws `length` indexes of a list of `count` by Zipf's law. */
export function zipfOrder(count: number, length: number, seed = 11): number[] {
  const shares: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= count; rank += 1) shares.push((sum += 1 / rank ** ZIPF_EXPONENT));
  const random = seededRandom(seed);
  return Array.from({ length }, () => {
    const target = random() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((shares[middle] ?? 0) < target) low = middle + 1;
      else high = middle;
    }
    return low;
  });
}
