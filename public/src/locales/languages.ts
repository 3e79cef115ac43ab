import { remember, remembered } from "../session/local-storage.ts";

/** A language is a file in this folder, named by its tag, that exports its texts: adding one is adding a file. */
const FILES = import.meta.glob<{ default: Texts }>("./*-texts.ts");
export type Texts = Readonly<Record<string, unknown>>;

const CHOICE = "boxoffice.language";

export const LANGUAGES: readonly string[] = Object.keys(FILES).map((file) =>
  file.slice(2, -"-texts.ts".length),
);

declare const __LANGUAGE_NAMES__: Readonly<Record<string, string>>;
/** Each by its own name. Written by the build (`vite.config.ts`): a browser loads its words for all languages of the world to tell two. */
export const LANGUAGE_NAMES = __LANGUAGE_NAMES__;

/** The one chosen here before, else the first of the browser's that there is, else English. */
export function chosenLanguage(): string {
  const chosen = remembered(CHOICE);
  const wanted = [...(chosen === undefined ? [] : [chosen]), ...navigator.languages];
  return (
    wanted
      .map((tag) => tag.split("-")[0]?.toLowerCase() ?? "")
      .find((tag) => LANGUAGES.includes(tag)) ?? "en"
  );
}

export function chooseLanguage(language: string): void {
  remember(CHOICE, language);
}

export async function loadTexts(language: string): Promise<Texts> {
  const load = FILES[`./${language}-texts.ts`];
  if (load === undefined) throw new Error(`There are no texts for ${language}`);
  return (await load()).default;
}
