// Comments, texts and documents use the field's terms (CONTRIBUTING.md, "Plain words").
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readSourceFiles } from "../support/source-files.ts";

/** Private language, and spellings that are not the US ones. */
const PRIVATE = new RegExp(
  [
    /whoever|nobody(?:'s)?|of who|who asks|who comes|stands there|goes on at once/,
    /in vain|so many a|is said outright|of which a rush|is heard any more/,
    /catalogues?|licen[c]es?|behaviours?|authoris\w+|recognis\w+|initialis\w+/,
  ]
    .map(({ source }) => source)
    .join("|")
    .replace(/^/, String.raw`\b(?:`)
    .replace(/$/, String.raw`)\b`),
  "i",
);

/** Names that others have given: a Unix account, a path of a package or a server. */
const NAMES_OF_OTHERS = new Set<string>([
  "tools/dev-servers/unix-account.ts: nobody",
  "tools/dev-servers/data-folders.ts: nobody",
  "tools/licenses/locked-packages.ts: licence",
  "test/deployment/licenses.unit.test.ts: licence",
]);
/** Applied migrations never change, and a real feed is written by others. */
const NOT_OURS_TO_CHANGE = /^(?:migrations|test\/data)\//;
const THIS_FILE = "test/architecture/plain-words.unit.test.ts";

function privateWords(path: string, text: string): string[] {
  return text.split("\n").flatMap((line, index) => {
    const word = PRIVATE.exec(line)?.[0];
    return word === undefined || NAMES_OF_OTHERS.has(`${path}: ${word}`)
      ? []
      : [`${path}:${index + 1}: "${word}"`];
  });
}

describe("plain words", () => {
  it("are used in code, texts and documents", () => {
    const files = readSourceFiles().filter(
      ({ path }) => path !== THIS_FILE && !NOT_OURS_TO_CHANGE.test(path),
    );
    assert.ok(files.some(({ path }) => path === "CHANGELOG.md"));
    assert.ok(files.some(({ path }) => path.startsWith("docs/decisions/")));
    assert.deepEqual(
      files.flatMap(({ path, text }) => privateWords(path, text)),
      [],
    );
  });

  it("are missed where they are missing", () => {
    const planted = ["// Answered by whoever lives.", "It waits in vain.", "the catalogue"];
    for (const line of planted) assert.equal(privateWords("planted.md", line).length, 1, line);
    assert.deepEqual(privateWords("planted.md", "The gateway answers while the process runs."), []);
  });
});
