import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { asProblem, type Problem } from "../api/problem.ts";

/** A problem's words in the reader's language; for one that has none here, those for anything unforeseen. */
export function useProblemWords(): (problem: Problem) => string {
  const { t, i18n } = useTranslation();
  return ({ code, facts }) => {
    const key = `problem.${code}` as const;
    return i18n.exists(key) ? t(key as "problem.INTERNAL", facts) : t("problem.INTERNAL");
  };
}

/** Says what went wrong, at once to those who listen, and what can be done. */
export function ProblemNotice({ error, again }: { error: unknown; again?: () => void }): ReactNode {
  const { t } = useTranslation();
  const words = useProblemWords();
  return (
    <div className="notice notice-bad" role="alert">
      <p>{words(asProblem(error))}</p>
      {again && (
        <button type="button" className="button button-quiet" onClick={again}>
          {t("parts.tryAgain")}
        </button>
      )}
    </div>
  );
}
