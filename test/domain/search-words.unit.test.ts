import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deletions, differInOneLetter, isCorrectable, words } from "../../domain/search-words.ts";

/** Few letters, so that words are often near each other; one is outside of the first plane. */
const word = fc
  .array(fc.constantFrom("a", "b", "c", "ж", "😀"), { maxLength: 7 })
  .map((letters) => letters.join(""));

/** What one wrong letter makes of a word, said again in the plainest way. */
function mistyped(from: string): Set<string> {
  const letters = Array.from(from);
  const made = new Set<string>();
  for (let at = 0; at <= letters.length; at += 1) {
    const [before, after] = [letters.slice(0, at), letters.slice(at)];
    for (const letter of ["a", "b", "c", "ж", "😀"]) {
      made.add([...before, letter, ...after].join(""));
      if (after.length > 0) made.add([...before, letter, ...after.slice(1)].join(""));
    }
    if (after.length > 0) made.add([...before, ...after.slice(1)].join(""));
    const [first, second, ...rest] = after;
    if (first !== undefined && second !== undefined)
      made.add([...before, second, first, ...rest].join(""));
  }
  made.delete(from);
  return made;
}

test("words differ in one letter that is left out, added, replaced, or swapped", () => {
  fc.assert(
    fc.property(word, word, (one, other) => {
      assert.equal(differInOneLetter(one, other), mistyped(one).has(other), `${one}, ${other}`);
    }),
    { numRuns: 3_000 },
  );
  for (const typed of ["bethoven", "beethooven", "beethofen", "beehtoven", "eethoven", "beethovne"])
    assert.ok(differInOneLetter(typed, "beethoven"), typed);
  for (const typed of ["beethoven", "bethofen", "behteoven", "betoven"])
    assert.ok(!differInOneLetter(typed, "beethoven"), typed);
});

test("words that differ in one letter have a deletion in common", () => {
  fc.assert(
    fc.property(word, (one) => {
      const known = new Set(deletions(one));
      for (const other of mistyped(one))
        assert.ok(
          deletions(other).some((deletion) => known.has(deletion)),
          `${one}, ${other}`,
        );
    }),
    { numRuns: 300 },
  );
});

test("words of a text are between blanks and punctuation of any script, four letters long", () => {
  assert.deepEqual(words('metallica, live at "rock-am-ring" (2027) ac/dc'), [
    "metallica",
    "live",
    "rock",
    "ring",
    "2027",
  ]);
  assert.deepEqual(words("コンサート・ホール。 オペラハウス… москва\nlive live"), [
    "コンサート",
    "オペラハウス",
    "москва",
    "live",
  ]);
  assert.deepEqual(words(""), []);
});

test("words of five letters are corrected, numbers and what has signs in it are not", () => {
  for (const one of ["opera", "москва"]) assert.ok(isCorrectable(one), one);
  for (const one of ["jazz", "20277", "ac/dc!", "u2u2u2", ""]) assert.ok(!isCorrectable(one), one);
});
