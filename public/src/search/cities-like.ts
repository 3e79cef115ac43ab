export type City = { value: string; count: number };
const SHOWN = 5;

/** Removes case and accents, as the search does. */
function foldText(text: string): string {
  return text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();
}

/** Finds cities by the start of any word of their name, in the given order. */
export function citiesLike(cities: readonly City[], typed: string): City[] {
  const wanted = foldText(typed.trim());
  return cities
    .filter(({ value }) => wanted === "" || ` ${foldText(value)}`.includes(` ${wanted}`))
    .slice(0, SHOWN);
}
