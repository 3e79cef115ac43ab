/** The one place of `from` in a file of ours becomes `to`. */
export type Edit = readonly [file: string, from: string, to: string];

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

/** The text of a file with the edit made. Throws where the text to change is not there exactly once: code has moved on and the mutant must follow. */
export function edited(text: string, [file, from, to]: Edit): string {
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times, not once:\n${from}`);
  return parts.join(to);
}
