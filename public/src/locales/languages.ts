import { readItem, writeItem } from "../session/local-storage.ts";

/** Each file `<language tag>-texts.ts` in this folder is a language of the pages. */
const FILES = import.meta.glob<{ default: Texts }>("./*-texts.ts");
export type Texts = Readonly<Record<string, unknown>>;

const CHOSEN_LANGUAGE = "boxoffice.language";

export const LANGUAGES: readonly string[] = Object.keys(FILES).map((file) =>
  file.slice(2, -"-texts.ts".length),
);

declare const __LANGUAGE_NAMES__: Readonly<Record<string, string>>;
/** Name of each language in itself, set by the build (`vite.config.ts`). */
export const LANGUAGE_NAMES = __LANGUAGE_NAMES__;

/** The stored choice, else the browser's first language with texts, else English. */
export function chosenLanguage(): string {
  const chosen = readItem(CHOSEN_LANGUAGE);
  const wanted = [...(chosen === undefined ? [] : [chosen]), ...navigator.languages];
  return (
    wanted
      .map((tag) => tag.split("-")[0]?.toLowerCase() ?? "")
      .find((tag) => LANGUAGES.includes(tag)) ?? "en"
  );
}

export function chooseLanguage(language: string): void {
  writeItem(CHOSEN_LANGUAGE, language);
}

export async function loadTexts(language: string): Promise<Texts> {
  const load = FILES[`./${language}-texts.ts`];
  if (load === undefined) throw new Error(`There are no texts for ${language}`);
  return (await load()).default;
}
