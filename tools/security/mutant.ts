import type { Edit } from "../testing/mutated-copy.ts";

/** One protection taken out, and the test that must notice. */
export type Mutant = {
  /** The line of the checklist. */
  id: string;
  /** What no longer holds, in words. */
  without: string;
  /** How the title of the test begins; one test only begins so. */
  noticedBy: string;
  edits: readonly Edit[];
};

/** The line is the one that the test is of. */
export function without(words: string, noticedBy: string, ...edits: Edit[]): Mutant {
  return { id: noticedBy.replace(/[:,].*$/s, ""), without: words, noticedBy, edits };
}
