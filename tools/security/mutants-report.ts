import type { Mutant } from "./mutant.ts";
import { type Title, titleOf } from "./titles.ts";

export const MUTANTS_HEADING = "## Each protection taken out";

/** A row of the table; `day` is when the test was last seen to fail without the protection. */
function rowOf(
  { id, without, edits, noticedBy }: Mutant,
  titles: readonly Title[],
  day: string,
): string {
  const { title, file } = titleOf(titles, noticedBy);
  const files = [...new Set(edits.map(([name]) => `\`${name}\``))].join(", ");
  return `| ${id} | ${without} (${files}) | ${title.replace(/^[^:]*: /, "").replaceAll("|", "\\|")} (\`${file}\`) | ${day} |`;
}

/**
 * The rows that belong to the mutants as they are now, without the days: what is not among them has
 * not been tried as it is.
 */
export function rowsWithout(mutants: readonly Mutant[], titles: readonly Title[]): string[] {
  return mutants.map((mutant) => rowOf(mutant, titles, "").replace(/ \| {2}\|$/, " |"));
}

/** The part of docs/security.md that tells of mutants; empty where it is not there. */
export function mutantsPart(page: string): string {
  const start = page.indexOf(MUTANTS_HEADING);
  return start === -1 ? "" : page.slice(start);
}

/**
 * That part, where these have been seen to fail on that day; what an earlier run saw of the others
 * stays.
 */
export function mutantsSection(
  before: string,
  mutants: readonly Mutant[],
  seen: ReadonlySet<Mutant>,
  titles: readonly Title[],
  day: string,
): string {
  const rows = mutants.flatMap((mutant) => {
    if (seen.has(mutant)) return [rowOf(mutant, titles, day)];
    const beginning = rowOf(mutant, titles, "").replace(/ \| {2}\|$/, " | ");
    return before.split("\n").filter((line) => line.startsWith(beginning));
  });
  return [
    MUTANTS_HEADING,
    "",
    `\`npx boxoffice security mutants\` takes out one protection after the other, each in a copy of the code, and runs the test that must notice: it passed with`,
    "the protection and failed without.",
    "",
    "| line | without | the test that failed | seen on |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
