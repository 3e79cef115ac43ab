// CONTRIBUTING.md lists every file that a new field of an event touches. `country` is the probe: it
// runs the same way as a new optional text would.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ROOT } from "../../tools/root.ts";
import { isCode, readSourceFiles, type SourceFile } from "../support/source-files.ts";

const PROBE = /\bcountry\b/;
/** Files that mention the probe for another reason, and the migration of this field. */
const OTHER_FILES = [
  "tools/feeds/zones.ts",
  "cli/commands/operators/import.ts",
  "migrations/0001_create_event.sql",
];

function listedFiles(): string[] {
  const text = readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8");
  const [, section = ""] = /^## Add a field of an event$([^]*?)^## /m.exec(text) ?? [];
  return [...section.matchAll(/`([^`\s]+)`/g)].map(([, path = ""]) => path);
}

/** Files that mention the field, and are not listed. */
function unlisted(files: readonly SourceFile[]): string[] {
  const known = new Set([...listedFiles(), ...OTHER_FILES]);
  return files
    .filter(({ path, text }) => PROBE.test(text) && !known.has(path))
    .map(({ path }) => path);
}

describe("a new field of an event", () => {
  const files = readSourceFiles().filter(
    ({ path, text }) =>
      !/^(?:test|\.github)\//.test(path) &&
      (isCode({ path, text }) || /\.(?:sql|yaml|yml)$/.test(path)),
  );

  it("touches no other files than those of CONTRIBUTING.md", () => {
    assert.deepEqual(unlisted(files), []);
  });

  it("is found in a file that is not listed", () => {
    const text = files.find(({ path }) => path === "domain/event-record.ts")?.text ?? "";
    assert.deepEqual(unlisted([...files, { path: "lib/new.ts", text }]), ["lib/new.ts"]);
  });
});
