import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../root.ts";
import { testFiles } from "../testing/test-plan.ts";
import { idsOf } from "./checklist.ts";

/** A test of a line of the checklist. `file` is relative to the root. */
export type Title = { file: string; title: string };

/** Every test whose title looks as if it began with a line's id. */
export function readTitles(): Title[] {
  return testFiles().flatMap((file) =>
    [...readFileSync(join(ROOT, file), "utf8").matchAll(/\bit\(\s*(["`])(S\d.*?)\1,/g)].flatMap(
      ([, , title = ""]) => (file.includes("security-report") ? [] : [{ file, title }]),
    ),
  );
}

/** The one test of a line whose title begins so. Throws where there is none, or more than one. */
export function titleOf(titles: readonly Title[], beginning: string): Title {
  const found = titles.filter(
    ({ title }) => title.startsWith(beginning) && idsOf(title).length > 0,
  );
  const [title] = found;
  if (title === undefined || found.length > 1)
    throw new Error(`${found.length} tests, not one, begin with "${beginning}"`);
  return title;
}
