// Conventions that eslint, dependency-cruiser and knip cannot say.
import assert from "node:assert/strict";
import { dirname } from "node:path/posix";
import { describe, it } from "node:test";
import { isCode, readSourceFiles } from "../support/source-files.ts";

const files = readSourceFiles();
/** All code but what `boxoffice api-types` writes. */
const code = files.filter((file) => isCode(file) && file.path !== "public/src/api/schema.d.ts");

const FILES_PER_FOLDER_MAX = 20;
const LINE_LENGTH_MAX = 100;
const LONG_LINES_SHARE_MAX = 0.01;

function none(offenders: readonly string[], rule: string): void {
  assert.deepEqual(
    offenders,
    [],
    `${rule}:\n${offenders.map((offender) => `  ${offender}`).join("\n")}`,
  );
}

describe("the code base", () => {
  it(`has no folder with more than ${FILES_PER_FOLDER_MAX} source files`, () => {
    const folders = Map.groupBy(code, ({ path }) => dirname(path));
    const large = [...folders].filter(([, { length }]) => length > FILES_PER_FOLDER_MAX);
    none(
      large.map(([folder, { length }]) => `${folder} has ${length}`),
      "Group the files of these folders",
    );
  });

  it("has at least 99 % of its lines within 100 characters", () => {
    const lines = code.flatMap(({ text }) => text.split("\n"));
    const long = lines.filter(({ length }) => length > LINE_LENGTH_MAX);
    assert.ok(lines.length > 10_000, "the files were found");
    assert.ok(
      long.length / lines.length <= LONG_LINES_SHARE_MAX,
      `${long.length} of ${lines.length} lines are longer`,
    );
  });

  it("names every top-level folder in ARCHITECTURE.md", () => {
    const folders = new Set(
      files.filter(({ path }) => path.includes("/")).map(({ path }) => path.split("/")[0] ?? ""),
    );
    const page = contentOf("ARCHITECTURE.md");
    none(
      [...folders].filter((folder) => !page.includes(`${folder}/`)),
      "ARCHITECTURE.md says nothing of these folders",
    );
  });

  it("leaves nothing for later in comments", () => {
    none(linesWith(/\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b/), "Do it, or make it an issue");
  });

  it("names no folder of one machine", () => {
    none(
      linesWith(/(?<![\w.}])\/(?:work|home|root|Users|tmp)\/\w/),
      "Paths come from DATA_DIR, tmpdir() or import.meta.url",
    );
  });
});

function contentOf(path: string): string {
  return files.find((file) => file.path === path)?.text ?? assert.fail(`${path} is missing`);
}

function linesWith(pattern: RegExp): string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split("\n")
      .flatMap((line, index) =>
        pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [],
      ),
  );
}
