import type { Command } from "commander";
import { EVENT_LIMITS, isTime } from "../../../domain/event-record.ts";
import { FORMATS } from "../../../tools/feeds/draft-event.ts";
import { MISSING_MODES } from "../../../tools/feeds/missing-events.ts";
import { zoneNamed } from "../../../tools/feeds/local-time.ts";
import { examples, exiting, valueOf, wholeNumber } from "../../options.ts";
import { type ImportOptions, runImport } from "./import-run.ts";

export function define(command: Command): void {
  const { capacityMax, durationMinutesMax, type: typeMax, source: sourceMax } = EVENT_LIMITS;
  const isSource = (text: string): boolean =>
    text.trim() === text && text !== "" && text.length <= sourceMax && !/\p{C}/u.test(text);
  const isType = (text: string): boolean => text !== "" && text.length <= typeMax;
  command
    .description(
      "Imports a feed of events into the catalog of the running engine. Formats: JSON with the " +
        "field names of GET /api/events (an array, or one object a line), schema.org Event " +
        "(JSON-LD), iCalendar, and the conference list; the content tells which it is. A record " +
        "that cannot be read is refused, and named with its number and the reason; the others are " +
        "written, and the exit code is 3. A file in DATA_DIR/imports names refused, repeated and " +
        "missing events. The last line on standard output is the summary.",
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
    .option(
      "--source <name>",
      "keeps the events apart from those of other feeds, whose ids may be the same (default: the " +
        "format)",
      valueOf(
        (text) => (isSource(text) ? text : undefined),
        `a name of at most ${sourceMax} characters`,
      ),
    )
    .option(
      "--missing <mode>",
      "what becomes of upcoming events of the source that left the feed: keep, cancel " +
        "(default: keep); the last line counts them. Cancel with --source only, unless the " +
        "catalog has no other feed of this format",
      valueOf(
        (text) => MISSING_MODES.find((known) => known === text),
        `one of ${MISSING_MODES.join(", ")}`,
      ),
    )
    .option(
      "--images",
      "downloads the pictures of the feed, https from public addresses only, into " +
        "DATA_DIR/images, which the gateways serve. A picture that fails is named and stops " +
        "nothing",
    )
    .option("--verbose", "also names repeated records, missing events and remarks")
    .addHelpText(
      "after",
      examples(
        ["import events.json", "a file"],
        ["import https://example.org/feed.ics --source club", "a web address"],
        ["import events.json --images", "with the pictures of the events"],
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
