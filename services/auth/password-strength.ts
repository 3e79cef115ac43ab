import { createRequire } from "node:module";
import type { ZxcvbnFactory } from "@zxcvbn-ts/core";

/** Score of the estimator that stands for 10^8 guesses, as its authors recommend. */
const SCORE_MIN = 3;
/**
 * The estimator's time grows with the square of the length. Further characters only add strength.
 */
const JUDGED_MAX = 32;
/** The whole e-mail address and name come first, then their parts. */
const KNOWN_MAX = 10;

const load = createRequire(import.meta.url);
let loaded: ZxcvbnFactory | undefined;

/**
 * Loads the dictionaries (20 MB, 64 ms) at first use: only registration and password change need
 * them.
 */
function estimator(): ZxcvbnFactory {
  if (loaded === undefined) {
    const core = load("@zxcvbn-ts/core") as typeof import("@zxcvbn-ts/core");
    const { adjacencyGraphs, dictionary } = load(
      "@zxcvbn-ts/language-common",
    ) as typeof import("@zxcvbn-ts/language-common");
    loaded = new core.ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });
  }
  return loaded;
}

const ADVICE =
  "Choose a longer one: four or five words that do not belong together make a good password.";

const REASONS: Record<string, string> = {
  common: "It is one of the most used passwords.",
  topTen: "It is one of the most used passwords.",
  topHundred: "It is one of the most used passwords.",
  similarToCommon: "It is much like one of the most used passwords.",
  userInputs: "It is made of your own e-mail address or name.",
  extendedRepeat: "It repeats itself.",
  simpleRepeat: "It repeats itself.",
  sequences: "It is a sequence of neighbors, as abcd or 1234.",
  straightRow: "It is a row of keys on the keyboard.",
  keyPattern: "It is a short pattern on the keyboard.",
  recentYears: "It is built around a year.",
  dates: "It is built around a date.",
};

/**
 * Explains why a password is weak and what to do, or returns undefined for a strong one. `about`:
 * known facts of the person, such as e-mail address and name. Never repeats the password or a
 * part of it.
 */
export function weaknessOf(password: string, about: readonly string[]): string | undefined {
  const judged = Array.from(password).slice(0, JUDGED_MAX).join("");
  const parts = about.flatMap((text) => text.split(/[^\p{L}\p{N}]+/u));
  const known = ["boxoffice", ...about, ...parts].map((text) =>
    text.toLowerCase().slice(0, JUDGED_MAX),
  );
  const { score, feedback } = estimator().check(
    judged,
    [...new Set(known)].filter(({ length }) => length > 2).slice(0, KNOWN_MAX),
  );
  if (score >= SCORE_MIN) return undefined;
  return `${REASONS[feedback.warning ?? ""] ?? "It would be guessed quickly."} ${ADVICE}`;
}
