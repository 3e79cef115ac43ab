import type { Command } from "commander";
import { EVENT_LIMITS, isTime } from "../../../domain/event-record.ts";
import { FORMATS } from "../../../tools/feeds/draft-event.ts";
import { zoneNamed } from "../../../tools/feeds/local-time.ts";
import { examples, exiting, valueOf, wholeNumber } from "../../options.ts";
import { type ImportOptions, runImport } from "./import-run.ts";

export function define(command: Command): void {
  const { capacityMax, durationMinutesMax, type: typeMax } = EVENT_LIMITS;
  const isType = (text: string): boolean => text !== "" && text.length <= typeMax;
  command
    .description(
      "Imports a feed of events into the catalog of the running engine. Formats: JSON with the " +
        "field names of GET /api/events (an array, or one object a line), schema.org Event " +
        "(JSON-LD), iCalendar, and the conference list; the content tells which it is. The last " +
        "line on standard output is the summary.",
    )
    .argument("<source>", "a file, a web address, or - for standard input; gzip is unpacked")
    .option(
      "--capacity <places>",
      "places of an event, where the feed does not say (default: 500)",
      wholeNumber(0, capacityMax),
    )
    .option(
      "--type <type>",
      'kind of event (default: the topic of the record, or "event")',
      valueOf(
        (text) => (isType(text) ? text : undefined),
        `a word of at most ${typeMax} characters`,
      ),
    )
    .option(
      "--start-time <HH:MM>",
      "when an event starts (default: 09:00)",
      valueOf((text) => (isTime(text) ? text : undefined), "a time such as 19:30"),
    )
    .option(
      "--duration <minutes>",
      "length of its last day (default: until 18:00, else 480)",
      wholeNumber(1, durationMinutesMax),
    )
    .option(
      "--time-zone <zone>",
      "an IANA name (default: the city's, else the country's, else UTC)",
      valueOf(zoneNamed, "an IANA name such as Europe/Berlin"),
    )
    .option(
      "--format <format>",
      FORMATS.join(", "),
      valueOf((text) => FORMATS.find((known) => known === text), `one of ${FORMATS.join(", ")}`),
    )
    .addHelpText(
      "after",
      examples(
        ["import events.json", "a file"],
        ["import https://example.org/feed.ics --capacity 200", "a web address"],
      ),
    )
    .action(
      exiting((source: string, { duration, ...options }: Options) =>
        runImport(source, {
          ...options,
          ...(duration !== undefined && { durationMinutes: duration }),
        }),
      ),
    );
}

type Options = Omit<ImportOptions, "durationMinutes"> & { duration?: number };
