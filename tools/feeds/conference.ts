import {
  type Draft,
  idOf,
  present,
  type Raw,
  requiredName,
  textOf,
  UnusableRecord,
  urlOf,
} from "./draft-event.ts";
import { whenOf } from "./when.ts";

/**
 * Reads a record of the conference list: {name, url, startDate, endDate, city, country, online,
 * topic}. A conference without a city is online.
 */
export function readConference(raw: Raw): Draft {
  const name = requiredName(raw);
  const start = textOf(raw, "startDate");
  if (start === undefined) throw new UnusableRecord("startDate is missing");
  const draft: Draft = { source: "conferences", name, start: whenOf(start, "startDate") };
  const end = textOf(raw, "endDate");
  if (end !== undefined) draft.end = whenOf(end, "endDate");
  const texts = {
    id: idOf(raw, "id"),
    topic: textOf(raw, "topic"),
    location: textOf(raw, "city"),
    country: textOf(raw, "country"),
    url: urlOf(raw),
  };
  return { ...draft, ...present(texts) };
}
