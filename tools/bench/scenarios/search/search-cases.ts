import type { EventRecord } from "../../../../domain/event-record.ts";
import type { SearchParams } from "../../../../services/catalog/search/search-filters.ts";
import { demoEvents } from "../../../demo/demo-catalog.ts";

const DAYS = 540;
const DAY_MS = 86_400_000;

/**
 * The demo catalog with planted words: "finale" in a quarter of all names, but only in the last
 * quarter of the days; "zugabe" in a tenth, at the end; "qx" in ten names.
 */
export function* plantedEvents(count: number, todayMs: number): Generator<EventRecord> {
  const dayFrom = (share: number): string =>
    new Date(todayMs + DAYS * share * DAY_MS).toISOString().slice(0, 10);
  const finale = dayFrom(0.75);
  const zugabe = dayFrom(0.9);
  let number = 0;
  for (const event of demoEvents(count, todayMs, DAYS)) {
    number += 1;
    const words = [event.name];
    if (event.date >= finale) words.push("Finale");
    if (event.date >= zugabe) words.push("Zugabe");
    if (number % (count / 10) === 1) words.push("Qx");
    yield { ...event, name: words.join(" ") };
  }
}

/**
 * Every filter of the contract, single and combined, and hard cases: rare, absent, frequent but
 * late, deep pages.
 */
export function searchCases(todayMs: number): Record<string, SearchParams> {
  const day = (days: number): string =>
    new Date(todayMs + days * DAY_MS).toISOString().slice(0, 10);
  return {
    "no filter": {},
    location: { location: "Tokyo" },
    "location, folded": { location: "SÃO PAULO" },
    "location, unknown": { location: "Atlantis" },
    type: { type: "concert" },
    "type, unknown": { type: "regatta" },
    date: { date: day(100) },
    "date, past": { date: day(-100) },
    "from past": { from: day(-1000) },
    "from, to": { from: day(200), to: day(210) },
    "to, past": { to: day(-10) },
    "name, word": { name: "Conference" },
    "name, two words": { name: "rust conference" },
    "name, part with accents": { name: "márta" },
    "name, one letter": { name: "e" },
    "name, one seldom letter": { name: "京" },
    "name, two letters": { name: "an" },
    "name, two seldom letters": { name: "qx" },
    "name, two letters, absent": { name: "xq" },
    "name, absent": { name: "zzyzx" },
    "name, absent, of frequent grams": { name: "erencerence" },
    "name, absent, one frequent letter": { name: "e e e" },
    "name, frequent but late": { name: "finale" },
    "name, two letters, frequent but late": { name: "fi" },
    "name, a tenth, late": { name: "zugabe" },
    "name, one letter, absent": { name: "ж" },
    "name, a tenth, all but its first letter": { name: "ugabe" },
    "name, wildcards": { name: "%_\\" },
    "name, long": {
      name: "An Evening with The Importance of Being Earnest, the Long Weekend and no one else",
    },
    "name, page of 100": { name: "a", limit: 100 },
    "location, name": { location: "London", name: "quartet" },
    "location, absent name": { location: "London", name: "zzyzx" },
    "location, one letter": { location: "London", name: "e" },
    "location, two seldom letters": { location: "London", name: "qx" },
    "location, type, name, late": { location: "London", type: "concert", name: "zugabe" },
    "type, name": { type: "theatre", name: "hamlet" },
    "type, seldom name": { type: "concert", name: "qx" },
    "type, name of another type": { type: "workshop", name: "conference" },
    "type, frequent name, late": { type: "concert", name: "finale" },
    "type, one letter": { type: "opera", name: "e" },
    "type, absent, of frequent grams": { type: "concert", name: "erencerence" },
    "date, name": { date: day(300), name: "jazz" },
    "date, absent name": { date: day(300), name: "zzyzx" },
    "date, location, type": { date: day(300), location: "London", type: "concert" },
    "from, to, late name": { from: day(10), to: day(400), name: "zugabe" },
    "from, name": { from: day(300), name: "dvorak" },
    "from, to, absent name": { from: day(10), to: day(400), name: "zzyzx" },
    "location, type": { location: "Paris", type: "comedy" },
    "location, type, unknown": { location: "Paris", type: "regatta" },
    "type, from, to": { type: "football", from: day(50), to: day(60) },
    "location, from": { location: "New York", from: day(400) },
    "q, word": { q: "conference" },
    "q, mistyped": { q: "confernce" },
    "q, name and city": { q: "jazz berlin" },
    "q, name and city, mistyped": { q: "confrence berlni" },
    "q, city": { q: "london" },
    "q, another name of a city": { q: "münchen" },
    "q, one letter": { q: "e" },
    "q, two seldom letters": { q: "qx" },
    "q, absent": { q: "zzyzx" },
    "q, absent, of frequent grams": { q: "erencerence" },
    "q, frequent and absent": { q: "conference zzyzx" },
    "q, frequent, none with both": { q: "conference hamlet" },
    "q, frequent but late": { q: "finale" },
    "q, frequent but late, mistyped": { q: "finael" },
    "q, a tenth, late": { q: "zugabe" },
    "q, a tenth, late, mistyped": { q: "zugabee" },
    "q, all but its first letter, late": { q: "ugabe" },
    "q, seldom letters and a city": { q: "qx london" },
    "q, long": {
      q: "An Evening with The Importance of Being Earnest, the Long Weekend and no one else",
    },
    "q, the alphabet": { q: "a b c d e f g h i j k l m n o p q r s t u v w x y z" },
    "q, page of 100": { q: "a", limit: 100 },
    "q, type, late": { q: "zugabee", type: "concert" },
    "q, location": { q: "zzyzx", location: "London" },
    "q, from, to, late": { q: "zugabe", from: day(10), to: day(400) },
    "location, another name": { location: "München" },
    "all filters": {
      location: "Berlin",
      name: "a",
      type: "concert",
      from: day(1),
      to: day(500),
      limit: 100,
    },
  };
}
