import { revisionLine } from "../../tools/documents/revision.ts";
import { PLANTS } from "./model/plants.ts";
import { search } from "./search.ts";

export const PLANTED_SEEDS_MAX = 3_000;

/** Mistakes in code that a history reveals too rarely, and the test that reveals each. */
export const NAMED_TESTS: Record<string, { file: string; test: string }> = {
  "TRY_AGAIN passed on for an outcome in doubt": {
    file: "test/purchasing/event-worker-answers.unit.test.ts",
    test: "keeps an outcome in doubt when another node answers TRY_AGAIN",
  },
  "a failed batch that resets replays": {
    file: "test/purchasing/event-worker-answers.unit.test.ts",
    test: "never answers TRY_AGAIN for an old sale in a batch whose commit fails",
  },
};

/** Returns docs/planted-mistakes.md, and the mistakes that no history has revealed. */
export async function searchPlantedMistakes(
  report: (line: string) => void,
): Promise<{ page: string; missed: string[] }> {
  const rows: string[] = [];
  const missed: string[] = [];
  for (const [mistake, plant] of Object.entries(PLANTS)) {
    const failure = await search(plant.from ?? 1, PLANTED_SEEDS_MAX, plant, 0);
    if (failure === undefined) missed.push(mistake);
    const seen = failure?.violations[0]?.split("\n")[0]?.replaceAll("|", "\\|") ?? "not seen";
    rows.push(`| ${mistake} | seed ${failure?.seed ?? "–"} | ${seen} |`);
    report(`${failure === undefined ? "missed" : `seed ${failure.seed}`}: ${mistake}`);
  }
  for (const [mistake, { file, test }] of Object.entries(NAMED_TESTS))
    rows.push(`| ${mistake} | \`${file}\` | ${test} |`);
  return { page: pageOf(rows), missed };
}

function pageOf(rows: readonly string[]): string {
  return `# Planted mistakes

Each mistake is planted in the simulated system. A search of seeded histories must reveal it, or the
test that is named. The same mistakes are planted in a real cluster by \`npx boxoffice chaos mutants\`
([reliability.md](reliability.md)).

${revisionLine("npx boxoffice simulate --plants --write")}

| mistake | where it is seen | what is seen |
| --- | --- | --- |
${rows.join("\n")}
`;
}
