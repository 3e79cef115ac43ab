import { parseArgs } from "node:util";
import { EVENT_LIMITS, isTime } from "../../domain/event-record.ts";
import type { FeedOptions } from "../../tools/feeds/complete-event.ts";
import { type Format, FORMATS } from "../../tools/feeds/draft-event.ts";
import { zoneNamed } from "../../tools/feeds/local-time.ts";

export const USAGE = `Usage: npm run import -- FILE [options]

FILE is a file, a web address (http or https), or - for standard input; it may be packed by gzip.
Formats: JSON with the field names of GET /api/events (an array, or one object a line), schema.org Event (JSON-LD),
iCalendar, and the conference list. The content tells which it is.

Options say what the feed does not say:
  --capacity N        places of an event                                       (500)
  --type TYPE         kind of event                                            (the record's topic, or "event")
  --start-time HH:MM  when an event starts                                     (09:00)
  --duration MINUTES  how long its last day lasts                              (until 18:00, else 480)
  --time-zone ZONE    an IANA name such as Europe/Berlin                       (the city's, else the country's, else UTC)
  --format FORMAT     ${FORMATS.join(", ")}
  --help              this page`;

export type ImportOptions = FeedOptions & { format?: Format };
export type Arguments = { help: boolean; problem?: string; source: string; options: ImportOptions };

/** Reads the command line. `problem` says in one sentence what is wrong with it. */
export function readArguments(words: string[]): Arguments {
  const nothing: Arguments = { help: false, source: "", options: {} };
  try {
    const text = { type: "string" } as const;
    const { values, positionals } = parseArgs({
      args: words,
      allowPositionals: true,
      options: {
        capacity: text,
        type: text,
        "start-time": text,
        duration: text,
        "time-zone": text,
        format: text,
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) return { ...nothing, help: true };
    const [source] = positionals;
    if (source === undefined)
      return {
        ...nothing,
        problem: "Which feed? Name a file, a web address, or - for standard input.",
      };
    if (positionals.length > 1)
      return { ...nothing, problem: `One feed at a time: ${positionals.join(", ")}` };
    return { ...nothing, source, options: readOptions(values) };
  } catch (error) {
    return { ...nothing, problem: (error as Error).message };
  }
}

function readOptions(values: Record<string, string | boolean | undefined>): ImportOptions {
  const options: ImportOptions = {};
  const take = <T>(
    name: string,
    read: (text: string) => T | undefined,
    wanted: string,
  ): T | undefined => {
    const text = values[name];
    if (typeof text !== "string") return undefined;
    const value = read(text.trim());
    if (value === undefined) throw new Error(`--${name} is "${text}"; give ${wanted}.`);
    return value;
  };
  const whole = (least: number, most: number) => (text: string) =>
    /^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most
      ? Number(text)
      : undefined;

  const { capacityMax, durationMinutesMax, type: typeLength } = EVENT_LIMITS;
  const capacity = take(
    "capacity",
    whole(0, capacityMax),
    `a whole number from 0 to ${capacityMax}`,
  );
  const type = take(
    "type",
    (text) => (text !== "" && text.length <= typeLength ? text : undefined),
    `a word of at most ${typeLength} characters`,
  );
  const startTime = take(
    "start-time",
    (text) => (isTime(text) ? text : undefined),
    "a time such as 19:30",
  );
  const durationMinutes = take(
    "duration",
    whole(1, durationMinutesMax),
    `minutes, from 1 to ${durationMinutesMax}`,
  );
  const timeZone = take("time-zone", zoneNamed, "an IANA name such as Europe/Berlin");
  const format = take(
    "format",
    (text) => FORMATS.find((known) => known === text),
    `one of ${FORMATS.join(", ")}`,
  );
  if (capacity !== undefined) options.capacity = capacity;
  if (type !== undefined) options.type = type;
  if (startTime !== undefined) options.startTime = startTime;
  if (durationMinutes !== undefined) options.durationMinutes = durationMinutes;
  if (timeZone !== undefined) options.timeZone = timeZone;
  if (format !== undefined) options.format = format;
  return options;
}
