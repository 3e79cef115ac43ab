// Documents say what is true: each path and each link leads to something, and each decision keeps
// its form.
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, it } from "node:test";
import { ROOT } from "../../tools/root.ts";
import { readSourceFiles } from "../support/source-files.ts";

/**
 * Generated from a run at the revision that they name, so their paths may be older than the code.
 */
const FROM_A_RUN = new Set([
  "docs/planted-mistakes.md",
  "docs/reliability.md",
  "docs/request-coverage.md",
  "docs/security.md",
]);
/** Pages about the code as it is. Decisions and the changelog tell of the past. */
const PAGES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"].concat(
  globSync("docs/{*,runbooks/*}.md", { cwd: ROOT }).filter((page) => !FROM_A_RUN.has(page)),
);
const DECISIONS = readdirSync(join(ROOT, "docs/decisions")).filter((file) => /^\d/.test(file));
const ADR_LINES_MAX = 60;
const LINES_MAX: Readonly<Record<string, number>> = { "README.md": 150, "ARCHITECTURE.md": 200 };
const LINE_LENGTH_MAX = 100;

/** Folders and files at the root: a text in backquotes that begins with one of them is a path. */
const ROOT_ENTRIES = new Set(readdirSync(ROOT));
const NOT_IN_A_CLONE = /^(?:\.data|node_modules|public\/dist)\b/;

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Paths in backquotes. `<name>` and `*` stand for any name. */
function pathsIn(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, "");
  return [...prose.matchAll(/`([^`\s]+)`/g)]
    .map(([, quoted = ""]) => quoted.replaceAll(/<[^>]+>/g, "*").replace(/\/$/, ""))
    .filter((path) => path.includes("/") || /\.(?:ts|md|yaml|json|mjs)$/.test(path))
    .filter((path) => ROOT_ENTRIES.has(path.split("/")[0] ?? "") && !NOT_IN_A_CLONE.test(path));
}

function missingPaths(text: string): string[] {
  return pathsIn(text).filter((path) => globSync(path, { cwd: ROOT }).length === 0);
}

/** GitHub's anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

function brokenLinks(page: string, text: string): string[] {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  return links
    .filter((link) => !/^https?:/.test(link))
    .filter((link) => {
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? page : normalize(join(dirname(page), file));
      if (!existsSync(join(ROOT, target))) return true;
      if (anchor === undefined) return false;
      const headings = [...read(target).matchAll(/^#+ (.+)$/gm)];
      return !headings.some(([, heading = ""]) => anchorOf(heading) === anchor);
    });
}

describe("documents", () => {
  for (const page of PAGES)
    it(`${page} names only paths and links that exist`, () => {
      assert.deepEqual([...missingPaths(read(page)), ...brokenLinks(page, read(page))], []);
    });

  for (const [page, max] of Object.entries(LINES_MAX))
    it(`${page} has ${max} lines or fewer, each within ${LINE_LENGTH_MAX} characters`, () => {
      const lines = read(page).trimEnd().split("\n");
      assert.ok(lines.length <= max, `${lines.length} lines`);
      assert.deepEqual(
        lines.filter((line) => !line.startsWith("|") && line.length > LINE_LENGTH_MAX),
        [],
      );
    });

  it("are found wrong where they are wrong", () => {
    assert.deepEqual(missingPaths("See `lib/no-such-file.ts` and `lib/bus/`, `cli/<any>.mjs`."), [
      "lib/no-such-file.ts",
    ]);
    assert.deepEqual(brokenLinks("README.md", "[a](docs/none.md) [b](README.md#none)"), [
      "docs/none.md",
      "README.md#none",
    ]);
  });
});

describe("decisions", () => {
  const index = read("docs/decisions/README.md");
  for (const file of DECISIONS)
    it(`${file} has its form and its row`, () => {
      const text = read(`docs/decisions/${file}`);
      const lines = text.trimEnd().split("\n");
      assert.ok(lines.length <= ADR_LINES_MAX, `${lines.length} lines`);
      assert.match(lines[0] ?? "", new RegExp(`^# ${Number(file.slice(0, 4))}\\. \\S`));
      assert.match(text, /^Status: (?:proposed|accepted|superseded by \d{4}), \d{4}-\d\d-\d\d/m);
      for (const part of ["Context", "Decision", "Consequences"])
        assert.match(text, new RegExp(`^## ${part}$`, "m"));
      assert.ok(index.includes(`(${file})`), "no row in docs/decisions/README.md");
      assert.deepEqual(brokenLinks(`docs/decisions/${file}`, text), []);
    });

  it("exist where code and documents refer to them", () => {
    const numbers = new Set(DECISIONS.map((file) => file.slice(0, 4)));
    const references = readSourceFiles().flatMap(({ path, text }) =>
      [...text.matchAll(/\bADR-(\d{4})\b|docs\/decisions\/(\d{4}[\w-]*\.md)/g)].map(
        ([, number, file]) => ({ path, number, file }),
      ),
    );
    assert.ok(references.length > 0);
    assert.deepEqual(
      references.filter(({ number, file }) =>
        file === undefined ? !numbers.has(number ?? "") : !DECISIONS.includes(file),
      ),
      [],
    );
  });
});
