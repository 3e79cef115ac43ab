import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { changeLanguage } from "../locales/i18n.ts";
import { LANGUAGE_NAMES, LANGUAGES } from "../locales/languages.ts";

/** Lists each language by its own name. */
export function LanguageChoice(): ReactNode {
  const { t, i18n } = useTranslation();
  return (
    <ul className="languages" aria-label={t("layout.language")}>
      {LANGUAGES.map((language) => (
        <li key={language}>
          <button
            type="button"
            className="link"
            lang={language}
            aria-pressed={i18n.language === language}
            onClick={() => void changeLanguage(language)}
          >
            {LANGUAGE_NAMES[language] ?? language}
          </button>
        </li>
      ))}
    </ul>
  );
}
