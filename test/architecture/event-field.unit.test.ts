// A new field of an event touches the files of FIELD_FILES, no others. `country` is the probe: it
// runs the same way as a new optional text would.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isCode, readSourceFiles, type SourceFile } from "../support/source-files.ts";

const PROBE = /\bcountry\b/;

/** Files to touch for a new field, in the order of work, with what to add. */
const FIELD_FILES: Record<string, string> = {
  "domain/event-record.ts": "the record, its limit and its check",
  "migrations/0001_create_event.sql": "the column; a new field needs a new migration instead",
  "migrations/schema.sql": "generated: npx boxoffice migrate --dump",
  "services/catalog/events/event.model.ts": "the API's view, the columns and the adapter's model",
  "services/catalog/events/event-store.ts": "reading, inserting and updating",
  "services/catalog/import/import-events.ts":
    "which change it is: of the description or of the sale",
  "services/catalog/catalog.params.ts": "the validation of imports",
  "services/api/openapi/schemas.ts": "the schema Event of the served document",
  "docs/api/openapi.yaml": "the schema Event of the contract",
  "public/src/api/schema.d.ts": "generated: npx boxoffice api-types",
  "public/src/event/event-facts.tsx": "the page of the event",
  "public/src/tickets/calendar.ts": "the calendar file of a ticket",
  "tools/feeds/draft-event.ts": "the draft that all formats share",
  "tools/feeds/complete-event.ts": "its default",
  "tools/feeds/listing.ts": "the format json",
  "tools/feeds/schema-org.ts": "the format schema.org",
  "tools/feeds/conference.ts": "the format conferences",
  "tools/feeds/place-text.ts": "places that are one text (iCalendar, schema.org)",
  "tools/demo/demo-catalog.ts": "the demo events",
  "tools/bench/harness/catalog-file.ts": "the events of benchmarks",
  "tools/chaos/faults/f19-feed-changes.ts": "the feed of a chaos run",
};

/** Files that mention the probe for another reason. */
const OTHER_FILES: Record<string, string> = {
  "tools/feeds/zones.ts": "time zones of countries",
  "cli/commands/operators/import.ts": "a help text about time zones",
};

/** Returns what the list and the files disagree about. */
function disagreements(files: readonly SourceFile[]): string[] {
  const listed = new Set([...Object.keys(FIELD_FILES), ...Object.keys(OTHER_FILES)]);
  const mentioning = new Set(files.filter(({ text }) => PROBE.test(text)).map(({ path }) => path));
  return [
    ...[...listed]
      .filter((path) => !mentioning.has(path))
      .map((path) => `${path} is listed and does not mention the field`),
    ...[...mentioning]
      .filter((path) => !listed.has(path))
      .map((path) => `${path} mentions the field and is not listed`),
  ].sort();
}

describe("a new field of an event", () => {
  const files = readSourceFiles().filter(
    (file) =>
      !/^(?:test|\.github)\//.test(file.path) &&
      (isCode(file) || /\.(?:sql|yaml|yml)$/.test(file.path)),
  );

  it("touches the files of the list and no others", () => {
    assert.deepEqual(disagreements(files), []);
  });

  it("is missed by the check neither in a listed file nor in a new one", () => {
    const [first = "", second = ""] = Object.keys(FIELD_FILES);
    const planted = files
      .map(({ path, text }) => ({
        path,
        text: path === first ? text.replaceAll(/country/g, "") : text,
      }))
      .map(({ path, text }) => ({ path: path === second ? "lib/new.ts" : path, text }));
    assert.deepEqual(
      disagreements(planted),
      [
        `${first} is listed and does not mention the field`,
        `${second} is listed and does not mention the field`,
        "lib/new.ts mentions the field and is not listed",
      ].sort(),
    );
  });
});
