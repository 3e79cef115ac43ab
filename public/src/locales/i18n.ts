import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import type en from "./en-texts.ts";
import { type Texts, chooseLanguage, loadTexts } from "./languages.ts";

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
  }
}

const NAMESPACE = "translation";

export async function startTexts(language: string, texts: Texts): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: language,
    resources: { [language]: { [NAMESPACE]: texts } },
    fallbackLng: false,
    // React escapes texts.
    interpolation: { escapeValue: false },
  });
  document.documentElement.lang = language;
}

export async function changeLanguage(language: string): Promise<void> {
  if (!i18next.hasResourceBundle(language, NAMESPACE))
    i18next.addResourceBundle(language, NAMESPACE, await loadTexts(language));
  await i18next.changeLanguage(language);
  chooseLanguage(language);
  document.documentElement.lang = language;
}
