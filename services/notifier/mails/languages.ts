import { DE } from "./de-texts.ts";
import { EN } from "./en-texts.ts";

/** The languages of mails. English is the default. */
const TEXTS = { en: EN, de: DE } as const;
export type Language = keyof typeof TEXTS;

export function languageOf(tag: string | null): Language {
  return tag === "de" ? "de" : "en";
}

export function textsOf(language: Language): typeof EN {
  return TEXTS[language];
}
